"""Runs what builds an engine, or installs it: its words are shown where it fails."""

import subprocess
from collections.abc import Sequence

from bench.engines.engine import EngineUnavailableError

_LOG_TAIL_CHARACTERS = 3000


def run_build(command: Sequence[str], *, failure: str, seconds_max: float) -> None:
    """Run *command*.

    Args:
        command: The program that builds.
        failure: Said before its last words where it fails.
        seconds_max: How long it may take.

    Raises:
        EngineUnavailableError: It fails.
        subprocess.TimeoutExpired: It takes longer.
    """
    ran = subprocess.run(  # noqa: S603 - commands are written in this package
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=seconds_max,
        check=False,
    )
    if ran.returncode != 0:
        message = f"{failure}\n{ran.stdout[-_LOG_TAIL_CHARACTERS:]}"
        raise EngineUnavailableError(message)
