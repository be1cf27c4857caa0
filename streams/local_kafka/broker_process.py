"""The process of a Kafka broker on this machine: how is it started, killed, frozen and stopped, and what did it say?"""

import shutil
import tempfile
import time
from abc import ABC, abstractmethod
from pathlib import Path
from typing import NoReturn

from streams.local_kafka.guarded_process import GuardedProcess

_EXCERPT_CHARACTERS = 3000


class BrokerStartError(Exception):
    """Kafka did not come up; the message quotes its log."""


class BrokerProcess(ABC):
    """A broker in a folder of its own, which holds its configuration, its log and its data.

    It lives no longer than this process, however that ends (see `GuardedProcess`).

    Args:
        name: For messages.
        patience_seconds: For a start, and for making its data folder.
        advice: What to do where it does not start, a sentence.
    """

    def __init__(self, name: str, *, patience_seconds: float, advice: str = "") -> None:
        self._name = name
        self._advice = f" {advice}" if advice else ""
        self._patience_seconds = patience_seconds
        self._command: list[str] = []
        """Java with the jars of a Kafka."""
        self._folder: Path | None = None
        self._process: GuardedProcess | None = None

    @property
    @abstractmethod
    def is_answering(self) -> bool:
        """Whether a client would be served now."""

    @property
    def folder(self) -> Path | None:
        """The folder with configuration, log and data; None where there is none yet, or none any more."""
        return self._folder

    @property
    def running(self) -> bool:
        """Whether its process lives, frozen or not."""
        return self._process is not None and self._process.exit_code is None

    @property
    def log(self) -> str:
        """What it has said since it was last started."""
        return (self._made_folder / "kafka.log").read_text(encoding="utf-8", errors="replace")

    def kill(self) -> None:
        """End the broker at once (SIGKILL); its data stays for the next start."""
        if self._process is not None:
            self._process.kill()
            self._process = None

    def pause(self) -> None:
        """Freeze the broker (SIGSTOP): connections stay open, nothing is answered."""
        if self._process is not None:
            self._process.pause()

    def resume(self) -> None:
        """Let a frozen broker go on (SIGCONT)."""
        if self._process is not None:
            self._process.resume()

    def _shut_down(self, grace_seconds: float) -> None:
        """Stop it in good order (SIGTERM), by force if it takes longer."""
        if self._process is not None:
            self._process.terminate(grace_seconds)
            self._process = None

    def _remove(self) -> None:
        """Remove its folder, whose broker has ended."""
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder = None

    @property
    def _made_folder(self) -> Path:
        if self._folder is None:
            self._folder = Path(tempfile.mkdtemp(prefix="g9603-kafka-"))
        return self._folder

    @property
    def properties_path(self) -> Path:
        """Its configuration."""
        return self._made_folder / "server.properties"

    def _format(self, *options: str) -> None:
        """Make an empty log of the cluster's metadata, as the configuration says."""
        with self._run("kafka.tools.StorageTool", "format", *options, "-c", str(self.properties_path)) as process:
            if process.wait(self._patience_seconds) != 0:
                self._fail("could not format its data folder")

    def _launch(self) -> None:
        """Start its process, where it does not run; see `_wait_until_answering`."""
        if not self.running:
            self.kill()  # clears up after one that ended by itself
            self._process = self._run("kafka.Kafka", str(self.properties_path))

    def _wait_until_answering(self) -> None:
        deadline = time.monotonic() + self._patience_seconds
        while not self.is_answering:
            if self._process is None or self._process.wait(0.05) is not None:
                self._fail(f"ended with exit code {self._process and self._process.exit_code}")
            if time.monotonic() > deadline:
                self._fail(f"did not answer within {self._patience_seconds:.0f} s")

    def _run(self, program: str, *arguments: str) -> GuardedProcess:
        folder = self._made_folder
        return GuardedProcess([*self._command, program, *arguments], folder=folder, log_path=folder / "kafka.log")

    def _fail(self, what_happened: str) -> NoReturn:
        log = self.log
        # After an error come pages about the shutdown, so the end of the log would not show it.
        _, error, rest = log.partition(" ERROR ")
        excerpt = rest[:_EXCERPT_CHARACTERS] if error else log[-_EXCERPT_CHARACTERS:]
        message = f"{self._name} {what_happened}.{self._advice} Its log says:\n{excerpt}"
        raise BrokerStartError(message)
