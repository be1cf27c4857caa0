"""Runs a real Apache Kafka on this machine, with Java and no container, for as long as it is needed.

It is the broker of production in all that matters to the worker: groups, transactions, compaction, and data
that outlives a crash.  So the demonstration and the tests can kill it, freeze it and start it again.
"""

import shutil
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from string import Template
from types import MappingProxyType, TracebackType
from typing import NoReturn, Self

from streams.kafka.guarded_process import GuardedProcess
from streams.kafka.java import find_java
from streams.kafka.kafka_jars import KAFKA_VERSION, fetch_kafka_jars
from streams.kafka.loopback import broker_answers, free_ports
from streams.kafka.maven import default_cache_dir

_SERVER_PROPERTIES = Path(__file__).with_name("server.properties.template")
_CLUSTER_ID = "Zzk2MDMtbG9jYWwtZGVtbw"  # 16 bytes in base64, as Kafka wants it: "g9603-local-demo"
_READY_SECONDS_MAX = 60
_STOP_SECONDS_MAX = 15
_EXCERPT_CHARACTERS = 3000

# A small heap, the collector and the compiler that start fastest, and the time on each line of the log.
_JVM_OPTIONS = (
    "-Xmx384m",
    "-XX:+UseSerialGC",
    "-XX:TieredStopAtLevel=1",
    "-Dorg.slf4j.simpleLogger.showDateTime=true",
    "-Dorg.slf4j.simpleLogger.dateTimeFormat=HH:mm:ss.SSS",
)


class BrokerStartError(Exception):
    """Kafka did not come up; the message quotes its log."""


class LocalKafka:
    """One Kafka broker on loopback, its data in a temporary folder that goes when it stops.

    It lives no longer than this process, however that ends (see `GuardedProcess`).  Methods return when what
    they say is true; from a coroutine, call them with `asyncio.to_thread`.

    Args:
        version: The Kafka to run, 3.9 or newer.
        java: The Java to run it with.
        cache_dir: Where its jars are kept; the user's cache folder if None.
        more_properties: Settings of the broker beyond, or instead of, the template's.
        more_jvm_options: Options of its Java beyond ours.
        on_progress: Told, in a sentence, what takes time.
    """

    def __init__(  # noqa: PLR0913 - each is a choice of its own
        self,
        *,
        version: str = KAFKA_VERSION,
        java: str = "java",
        cache_dir: Path | None = None,
        more_properties: Mapping[str, str] = MappingProxyType({}),
        more_jvm_options: Sequence[str] = (),
        on_progress: Callable[[str], None] = lambda _: None,
    ) -> None:
        self.version = version
        self._java = java
        self._cache_dir = cache_dir or default_cache_dir()
        self._more_properties = more_properties
        self._more_jvm_options = more_jvm_options
        self._on_progress = on_progress
        self._broker_port, self._controller_port = free_ports(2)
        self._folder: Path | None = None
        self._process: GuardedProcess | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def bootstrap_servers(self) -> str:
        """Where clients connect; the same for the whole life of this object."""
        return f"127.0.0.1:{self._broker_port}"

    @property
    def folder(self) -> Path | None:
        """The folder with configuration, log and data; None before the first start and after `stop`."""
        return self._folder

    @property
    def is_answering(self) -> bool:
        """Whether a client would be served now."""
        return broker_answers(self._broker_port)

    def start(self) -> None:
        """Start the broker, on the data it left if it was killed, and wait until it answers.

        Raises:
            JavaUnavailableError: There is no Java, or an old one.
            MavenUnavailableError: The jars are not in the cache and cannot be fetched.
            BrokerStartError: The broker ended, or did not answer within a minute; its data is gone.
        """
        if self._process is not None and self._process.exit_code is None:
            return
        self.kill()  # clears up after a broker that ended by itself
        java = find_java(self._java)
        jars = fetch_kafka_jars(self.version, cache_dir=self._cache_dir, on_progress=self._on_progress)
        command = [java, *_JVM_OPTIONS, *self._more_jvm_options, "-cp", f"{jars}/*"]
        self._on_progress(f"Starting Kafka {self.version} on {self.bootstrap_servers}.")
        try:
            folder = self._folder or self._format(command)
            self._process = self._run([*command, "kafka.Kafka", f"{folder}/server.properties"], folder)
            self._wait_until_ready(self._process, folder)
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Shut the broker down, by force if it takes longer than 15 s, and remove its data."""
        self._shut_down()
        if self._folder is not None:
            shutil.rmtree(self._folder)
            self._folder = None

    def restart(self) -> None:
        """Shut the broker down in good order and start it again: same address, same data."""
        self._shut_down()
        self.start()

    def kill(self) -> None:
        """End the broker at once (SIGKILL); its data stays for the next `start`."""
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

    def _shut_down(self) -> None:
        if self._process is not None:
            self._process.terminate(_STOP_SECONDS_MAX)
            self._process = None

    def _format(self, command: list[str]) -> Path:
        """Make the folder, and in it the configuration and an empty log of the cluster's metadata."""
        self._folder = folder = Path(tempfile.mkdtemp(prefix="g9603-kafka-"))
        # Of a property that is set twice Kafka takes the last.
        more = (f"{name}={value}\n" for name, value in self._more_properties.items())
        properties = Template("".join([_SERVER_PROPERTIES.read_text(encoding="utf-8"), "\n", *more])).substitute(
            broker_port=self._broker_port, controller_port=self._controller_port, folder=folder
        )
        (folder / "server.properties").write_text(properties, encoding="utf-8")
        options = ["--standalone", "-t", _CLUSTER_ID, "-c", f"{folder}/server.properties"]
        with self._run([*command, "kafka.tools.StorageTool", "format", *options], folder) as process:
            exit_code = process.wait(_READY_SECONDS_MAX)
        if exit_code != 0:
            self._fail("could not format its data folder", folder)
        return folder

    def _run(self, command: list[str], folder: Path) -> GuardedProcess:
        return GuardedProcess(command, folder=folder, log_path=folder / "kafka.log")

    def _wait_until_ready(self, process: GuardedProcess, folder: Path) -> None:
        deadline = time.monotonic() + _READY_SECONDS_MAX
        while not self.is_answering:
            if process.wait(0.05) is not None:
                self._fail(f"ended with exit code {process.exit_code}", folder)
            if time.monotonic() > deadline:
                self._fail(f"did not answer within {_READY_SECONDS_MAX} s", folder)

    def _fail(self, what_happened: str, folder: Path) -> NoReturn:
        log = (folder / "kafka.log").read_text(encoding="utf-8", errors="replace")
        # After an error come pages about the shutdown, so the end of the log would not show it.
        _, error, rest = log.partition(" ERROR ")
        excerpt = rest[:_EXCERPT_CHARACTERS] if error else log[-_EXCERPT_CHARACTERS:]
        message = (
            f"Kafka {self.version} on {self.bootstrap_servers} {what_happened}. Try again, or set "
            f"G9603_BOOTSTRAP_SERVERS to a Kafka that is running. Its log says:\n{excerpt}"
        )
        raise BrokerStartError(message)
