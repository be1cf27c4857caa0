"""A real Kafka of three brokers on this machine, with a proxy before each: where is it hit, and is it whole again?"""

import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import Self

from streams.local_kafka.java import find_java
from streams.local_kafka.kafka_jars import KAFKA_VERSION, fetch_kafka_jars
from streams.local_kafka.loopback import free_ports
from streams.local_kafka.maven import default_cache_dir
from tests.chaos.cluster_broker import BrokerPorts, ClusterBroker
from tests.chaos.cluster_roles import ClusterRoles, RoleUnknownError
from tests.chaos.network import Network

_NODES = (1, 2, 3)
_HEAL_SECONDS_MAX = 120.0
_POLL_SECONDS = 0.2
_JVM_OPTIONS = (
    "-Xms96m",
    "-Xmx320m",
    "-XX:+UseSerialGC",
    "-XX:TieredStopAtLevel=1",
    "-XX:ActiveProcessorCount=1",
    "-Dorg.slf4j.simpleLogger.showDateTime=true",
    "-Dorg.slf4j.simpleLogger.dateTimeFormat=HH:mm:ss.SSS",
)


class KafkaCluster:
    """Three brokers, three controllers, three proxies. Methods block; from a coroutine, call them in a thread.

    Args:
        version: The Kafka to run, 3.9 or newer.
        settings: Added to every broker's properties.
        on_progress: Told, in a sentence, what takes time.
    """

    replication = len(_NODES)

    def __init__(
        self,
        version: str | None = None,
        *,
        settings: Mapping[str, str] | None = None,
        on_progress: Callable[[str], None] = lambda _: None,
    ) -> None:
        self.version = version or KAFKA_VERSION
        ports = free_ports(len(_NODES) * len(BrokerPorts._fields))
        self._ports = {node: BrokerPorts(*ports[index :: len(_NODES)]) for index, node in enumerate(_NODES)}
        self._settings = settings or {}
        self._is_reconfigured = False
        self._on_progress = on_progress
        self.brokers: dict[int, ClusterBroker] = {}
        self.roles = ClusterRoles({node: each.direct for node, each in self._ports.items()})
        self.network = Network({node: (each.proxy, each.broker) for node, each in self._ports.items()})

    def __enter__(self) -> Self:
        """Start it."""
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop it."""
        self.stop()

    @property
    def bootstrap_servers(self) -> str:
        """Through the proxies: what workers are told."""
        return _servers(each.proxy for each in self._ports.values())

    @property
    def direct_bootstrap_servers(self) -> str:
        """Past the proxies: for the harness's own clients."""
        return _servers(each.direct for each in self._ports.values())

    def start(self) -> None:
        """Start all, and wait until they answer.

        Raises:
            BrokerStartError: One did not; all are stopped.
        """
        java = find_java("java")
        jars = fetch_kafka_jars(self.version, cache_dir=default_cache_dir(), on_progress=self._on_progress)
        command = [java, *_JVM_OPTIONS, "-cp", f"{jars}/*"]
        self._on_progress(f"Starting three brokers of Kafka {self.version}.")
        try:
            for node in _NODES:
                self.brokers[node] = ClusterBroker(node, self._ports, command, self._settings)
            with ThreadPoolExecutor() as threads:
                list(threads.map(ClusterBroker.format, self.brokers.values()))
            for broker in self.brokers.values():
                broker.launch()
            for broker in self.brokers.values():
                broker.wait()
            self.network.start()
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Kill all, and remove their data."""
        self.network.stop()
        for broker in self.brokers.values():
            broker.remove()
        self.brokers = {}

    def heal(self) -> None:
        """Lift every rule, free, resume and start every broker, and wait until all replicas are in sync.

        Raises:
            TimeoutError: They are not, after two minutes; the message names them.
        """
        self.network.clear()
        if self._is_reconfigured:
            self.reconfigure({})
        else:
            self._start_all()

    def reconfigure(self, settings: Mapping[str, str]) -> None:
        """Restart all brokers, with *settings* added to theirs instead of those before; `heal` takes them back."""
        self.kill()
        for broker in self.brokers.values():
            broker.configure({**self._settings, **settings})
        self._is_reconfigured = bool(settings)
        self._start_all()

    def kill(self) -> None:
        """SIGKILL to all brokers at once; `heal` starts them again."""
        for broker in self.brokers.values():
            broker.kill()

    def _start_all(self) -> None:
        for broker in self.brokers.values():
            broker.free_disk()
            broker.resume()
            broker.launch()
        for broker in self.brokers.values():
            broker.wait()
        self.wait_until_whole()

    def wait_until_whole(self) -> None:
        """Wait until every partition has a leader and all its replicas in sync.

        Raises:
            TimeoutError: It has not, after two minutes.
        """
        deadline = time.monotonic() + _HEAL_SECONDS_MAX
        missing = ["the answers of all brokers"]
        while missing:
            if time.monotonic() > deadline:
                message = f"After {_HEAL_SECONDS_MAX:.0f} s the cluster is not whole: {missing}"
                raise TimeoutError(message)
            time.sleep(_POLL_SECONDS)
            try:
                missing = self.roles.incomplete()
            except RoleUnknownError as error:
                missing = [str(error)]

    def roll(self, told: Callable[[int], None] = lambda _: None) -> None:
        """Restart one broker after the other in good order, each when the one before is back in sync."""
        for node, broker in self.brokers.items():
            told(node)
            broker.shut_down()
            broker.start()
            self.wait_until_whole()

    def until_known(self, role: Callable[[], int]) -> int:
        """The answer of *role*, one of `roles`, as soon as there is one.

        Raises:
            RoleUnknownError: There is none for two minutes.
        """
        deadline = time.monotonic() + _HEAL_SECONDS_MAX
        while True:
            try:
                return role()
            except RoleUnknownError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(_POLL_SECONDS)


def _servers(ports: Iterable[int]) -> str:
    return ",".join(f"127.0.0.1:{port}" for port in ports)
