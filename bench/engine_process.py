"""An engine as a process of its own."""

import os
import signal
import subprocess
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from bench.engines.engine import Launch
from streams.settings import PREFIX

_ROOT = Path(__file__).parents[1]
_STOP_SECONDS_MAX = 30
_LOG_LINES = 15


class EngineProcess:
    """Starts on entry, has ended on exit.

    Args:
        launch: How to start it.
        log: Where its output goes.
    """

    def __init__(self, launch: Launch, log: Path) -> None:
        self._launch = launch
        self._log = log

    def __enter__(self) -> Self:
        # A setting of the user's own would be measured along.
        environment = {key: value for key, value in os.environ.items() if not key.upper().startswith(PREFIX)}
        with self._log.open("wb") as output:
            self._process = subprocess.Popen(  # noqa: S603 - commands are written in this package
                self._launch.command,
                cwd=_ROOT,
                env=environment | dict(self._launch.environment),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.is_running:
            self._process.send_signal(signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(_STOP_SECONDS_MAX)
        self._process.kill()
        self._process.wait()

    @property
    def id(self) -> int:
        """Its process id."""
        return self._process.pid

    @property
    def is_running(self) -> bool:
        """Whether it lives."""
        return self._process.poll() is None

    def log_tail(self) -> str:
        """The last lines of its log."""
        return "\n".join(self._log.read_text(errors="replace").splitlines()[-_LOG_LINES:])
