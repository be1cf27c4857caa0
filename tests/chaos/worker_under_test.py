"""A worker as a process that can be killed, frozen and looked at from outside."""

import os
import resource
import signal
import time
from collections.abc import Sequence
from pathlib import Path

from streams.demo.worker_process import WorkerProcess
from streams.settings import Settings

_KILOBYTE = 1024
_POLL_SECONDS = 0.01


class WorkerUnderTest(WorkerProcess):
    """A worker, and what may be done to it.

    Args:
        name: For the timeline.
        settings: Handed over through the environment.
        log: Where its log goes.
        command: What is run; the worker of production where None.
    """

    def __init__(self, name: str, settings: Settings, log: Path, command: Sequence[str] | None = None) -> None:
        if command is None:
            super().__init__(name, settings, log)
        else:
            super().__init__(name, settings, log, command)
        self.settings = settings
        self.restart_command: Sequence[str] | None = None
        """What a supervisor starts in its place; the worker of production where None."""
        self.excused: set[int] = set()
        """Exit codes that are no fault of its own (the scenario made it end so)."""

    @property
    def exit_code(self) -> int | None:
        """How it ended, negative for a signal; None while it runs."""
        return self._process.poll()

    @property
    def is_frozen(self) -> bool:
        """Whether it was stopped by a signal, its own or ours."""
        return self._stat("State:").startswith("T")

    @property
    def resident_bytes(self) -> int:
        """Its memory; 0 where it has ended."""
        resident = self._stat("VmRSS:").split()
        return int(resident[0]) * _KILOBYTE if resident else 0

    @property
    def descriptor_count(self) -> int:
        """How many files and sockets it has open; 0 where it has ended."""
        try:
            return len(os.listdir(f"/proc/{self.pid}/fd"))  # noqa: PTH208 - the kernel's folder, counted only
        except OSError:
            return 0

    @property
    def address_bytes(self) -> int:
        """What of its address space is in use."""
        size = self._stat("VmSize:").split()
        return int(size[0]) * _KILOBYTE if size else 0

    def limit(self, what: int, value: int) -> None:
        """From now on the kernel grants it no more than *value* of *what*, one of `resource`'s."""
        resource.prlimit(self.pid, what, (value, value))

    def freeze(self) -> None:
        """SIGSTOP: it lives and does nothing, and does not know it."""
        self.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """SIGCONT."""
        self.send_signal(signal.SIGCONT)

    def catches(self, number: signal.Signals) -> bool:
        """Whether it has a handler for a signal, of Python's or its own; the kernel decides what becomes of others."""
        return bool(int(self._stat("SigCgt:") or "0", 16) >> (number - 1) & 1)

    def send_signal(self, number: signal.Signals) -> None:
        """Send it, without waiting."""
        self._process.send_signal(number)

    def stop(self) -> int:
        """SIGTERM, and its exit code. Not before its first line ran: until then the signal is the kernel's alone."""
        while self.running and not self.catches(signal.SIGTERM):
            time.sleep(_POLL_SECONDS)
        return super().stop()

    def terminate(self) -> None:
        """SIGTERM, without waiting."""
        self.send_signal(signal.SIGTERM)

    def _stat(self, name: str) -> str:
        try:
            lines = Path(f"/proc/{self.pid}/status").read_text(encoding="ascii").splitlines()
        except OSError:
            return ""
        return next((line.removeprefix(name).strip() for line in lines if line.startswith(name)), "")
