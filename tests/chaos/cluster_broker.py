"""Runs one broker of the cluster: how is it started, killed, frozen and healed?"""

import resource
from collections.abc import Mapping
from pathlib import Path
from string import Template
from typing import NamedTuple

from streams.local_kafka.broker_process import BrokerProcess
from streams.local_kafka.loopback import broker_answers

_PROPERTIES = Path(__file__).with_name("cluster.properties.template")
_CLUSTER_ID = "Zzk2MDMtY2hhb3MtaGFybg"
_SECONDS_MAX = 120.0
"""For a start on a machine that is busy with two others."""
_STOP_SECONDS_MAX = 30.0


class BrokerPorts(NamedTuple):
    """Where a broker listens."""

    proxy: int
    """The proxy's: what the broker tells clients."""
    broker: int
    """Behind the proxy."""
    direct: int
    """For the other brokers, and for the harness."""
    controller: int


class ClusterBroker(BrokerProcess):
    """One broker and controller; its data goes with `remove`.

    Args:
        node: Its number, from 1.
        ports: By node, of all.
        command: Java with the jars of a Kafka.
        settings: Added to its properties.
    """

    def __init__(
        self, node: int, ports: Mapping[int, BrokerPorts], command: list[str], settings: Mapping[str, str]
    ) -> None:
        super().__init__(f"Broker {node} of the chaos cluster", patience_seconds=_SECONDS_MAX)
        self._command = command
        self.node = node
        self.ports = ports[node]
        self._voters = ",".join(f"{number}@127.0.0.1:{each.controller}" for number, each in ports.items())
        self.configure(settings)

    @property
    def is_answering(self) -> bool:
        """Whether it serves requests, and knows of a broker that is up."""
        return broker_answers(self.ports.direct)

    def configure(self, settings: Mapping[str, str]) -> None:
        """Add *settings* to its properties, instead of those before; they count from its next start."""
        properties = Template(_PROPERTIES.read_text(encoding="utf-8")).substitute(
            node=self.node,
            voters=self._voters,
            broker_port=self.ports.broker,
            direct_port=self.ports.direct,
            controller_port=self.ports.controller,
            proxy_port=self.ports.proxy,
            data=self._made_folder / "data",
            further="\n".join(f"{name}={value}" for name, value in settings.items()),
        )
        self.properties_path.write_text(properties, encoding="utf-8")

    def format(self) -> None:
        """Make its data folder, with an empty log of the cluster's metadata."""
        self._format("-t", _CLUSTER_ID)

    def launch(self) -> None:
        """Start its process, where it does not run; see `wait`."""
        self._launch()

    def wait(self) -> None:
        """Wait until it answers.

        Raises:
            BrokerStartError: It ended, or did not answer in time.
        """
        self._wait_until_answering()

    def start(self) -> None:
        """Start it on the data it left, and wait until it answers."""
        self.launch()
        self.wait()

    def shut_down(self) -> None:
        """Stop it in good order (SIGTERM): it hands its partitions over first."""
        self._shut_down(_STOP_SECONDS_MAX)

    def fill_disk(self) -> None:
        """From now on the kernel lets it write nothing more to any file, as where a disk is full."""
        self._limit_files(1)

    def free_disk(self) -> None:
        """It may write again, where it still runs."""
        if self.running:
            self._limit_files(resource.RLIM_INFINITY)

    def _limit_files(self, bytes_max: int) -> None:
        if self._process is not None:
            resource.prlimit(self._process.pid, resource.RLIMIT_FSIZE, (bytes_max, resource.RLIM_INFINITY))

    def remove(self) -> None:
        """Kill it, and remove its folder."""
        self.kill()
        self._remove()
