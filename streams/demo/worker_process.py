"""A worker as a process of its own, the way a supervisor would start it."""

import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from streams.settings import PREFIX, Settings

_STOP_SECONDS_MAX = 30
_LOG_LINES = 15
WORKER = (sys.executable, "-m", "streams", "worker")


class WorkerProcess:
    """A running ``g9603 worker``.

    Args:
        name: For the audience.
        settings: Handed over through the environment.
        log: Where its log goes.
        command: What is run: another program that is a worker, too.
    """

    def __init__(self, name: str, settings: Settings, log: Path, command: Sequence[str] = WORKER) -> None:
        self.name = name
        self.killed = False
        self._log = log
        environment = {key: value for key, value in os.environ.items() if not key.upper().startswith(PREFIX)}
        environment |= settings.environment()
        with log.open("wb") as output:
            self._process = subprocess.Popen(  # noqa: S603 - the command is written in this project, not from input
                command,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    @property
    def running(self) -> bool:
        """Whether it lives."""
        return self._process.poll() is None

    def kill(self) -> None:
        """SIGKILL: no last word."""
        self.killed = True
        self._process.kill()
        self._process.wait()

    def stop(self) -> int:
        """SIGTERM, and its exit code; SIGKILL where that takes too long."""
        if self.running:
            self._process.send_signal(signal.SIGTERM)
        try:
            return self._process.wait(_STOP_SECONDS_MAX)
        except subprocess.TimeoutExpired:
            self._process.kill()
            return self._process.wait()

    def wait(self, seconds_max: float) -> int | None:
        """Its exit code, once it has ended by itself; None where it has not, within *seconds_max*."""
        try:
            return self._process.wait(seconds_max)
        except subprocess.TimeoutExpired:
            return None

    def log_text(self) -> str:
        """Its log so far."""
        return self._log.read_text(errors="replace")

    def log_tail(self) -> str:
        """The last lines of its log."""
        lines = self.log_text().splitlines()
        return "\n".join(lines[-_LOG_LINES:])
