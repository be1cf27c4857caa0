"""Runs a real Apache Kafka on this machine, with Java and no container, for as long as it is needed.

It is the broker of production in all that matters to the worker: groups, transactions, compaction, and data
that outlives a crash.  So the demonstration and the tests can kill it, freeze it and start it again.
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from string import Template
from types import MappingProxyType, TracebackType
from typing import Self

from streams.local_kafka.broker_process import BrokerProcess
from streams.local_kafka.java import find_java
from streams.local_kafka.kafka_jars import KAFKA_VERSION, fetch_kafka_jars
from streams.local_kafka.loopback import broker_answers, free_ports
from streams.local_kafka.maven import default_cache_dir

_SERVER_PROPERTIES = Path(__file__).with_name("server.properties.template")
_CLUSTER_ID = "Zzk2MDMtbG9jYWwtZGVtbw"  # 16 bytes in base64, as Kafka wants it: "g9603-local-demo"
_READY_SECONDS_MAX = 60
_STOP_SECONDS_MAX = 15

# A small heap, the collector and the compiler that start fastest, and the time on each line of the log.
_JVM_OPTIONS = (
    "-Xmx384m",
    "-XX:+UseSerialGC",
    "-XX:TieredStopAtLevel=1",
    "-Dorg.slf4j.simpleLogger.showDateTime=true",
    "-Dorg.slf4j.simpleLogger.dateTimeFormat=HH:mm:ss.SSS",
)


class LocalKafka(BrokerProcess):
    """One Kafka broker on loopback, its data in a temporary folder that goes when it stops.

    Methods return when what they say is true; from a coroutine, call them with `asyncio.to_thread`.

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
        super().__init__(
            f"Kafka {version} on {self.bootstrap_servers}",
            patience_seconds=_READY_SECONDS_MAX,
            advice="Try again, or set G9603_BOOTSTRAP_SERVERS to a Kafka that is running.",
        )

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
        if self.running:
            return
        java = find_java(self._java)
        jars = fetch_kafka_jars(self.version, cache_dir=self._cache_dir, on_progress=self._on_progress)
        self._command = [java, *_JVM_OPTIONS, *self._more_jvm_options, "-cp", f"{jars}/*"]
        self._on_progress(f"Starting Kafka {self.version} on {self.bootstrap_servers}.")
        try:
            if self._folder is None:
                self._configure()
                self._format("--standalone", "-t", _CLUSTER_ID)
            self._launch()
            self._wait_until_answering()
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Shut the broker down, by force if it takes longer than 15 s, and remove its data."""
        self._shut_down(_STOP_SECONDS_MAX)
        self._remove()

    def restart(self) -> None:
        """Shut the broker down in good order and start it again: same address, same data."""
        self._shut_down(_STOP_SECONDS_MAX)
        self.start()

    def _configure(self) -> None:
        # Of a property that is set twice Kafka takes the last.
        more = (f"{name}={value}\n" for name, value in self._more_properties.items())
        properties = Template("".join([_SERVER_PROPERTIES.read_text(encoding="utf-8"), "\n", *more])).substitute(
            broker_port=self._broker_port, controller_port=self._controller_port, folder=self._made_folder
        )
        self.properties_path.write_text(properties, encoding="utf-8")
