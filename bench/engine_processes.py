"""An engine as processes of its own: one, or several of the same."""

import os
import signal
import subprocess
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from bench.engines.engine import Launch
from bench.process_tree import ProcessTree
from streams.settings import PREFIX

_ROOT = Path(__file__).parents[1]
_STOP_SECONDS_MAX = 30
_LOG_LINES = 15


class EngineProcesses:
    """Start on entry, have ended on exit.

    Args:
        launch: How to start them.
        log: Where their output goes.
    """

    def __init__(self, launch: Launch, log: Path) -> None:
        self._launch = launch
        self._log = log
        self._processes: list[subprocess.Popen[bytes]] = []

    def __enter__(self) -> Self:
        # A setting of the user's own would be measured along.
        environment = {key: value for key, value in os.environ.items() if not key.upper().startswith(PREFIX)}
        with self._log.open("ab") as output:
            self._processes = [
                subprocess.Popen(  # noqa: S603 - commands are written in this package
                    self._launch.command,
                    cwd=_ROOT,
                    env=environment | dict(self._launch.environment),
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                )
                for _ in range(self._launch.process_count)
            ]
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for process in self._processes:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
        for process in self._processes:
            with suppress(subprocess.TimeoutExpired):
                process.wait(_STOP_SECONDS_MAX)
            process.kill()
            process.wait()

    @property
    def trees(self) -> list[ProcessTree]:
        """Each with its descendants."""
        return [ProcessTree(process.pid) for process in self._processes]

    @property
    def are_running(self) -> bool:
        """Whether all live."""
        return all(process.poll() is None for process in self._processes)

    def log_tail(self) -> str:
        """The last lines of their log."""
        return "\n".join(self._log.read_text(errors="replace").splitlines()[-_LOG_LINES:])
