"""Runs one broker of the cluster: how is it started, killed, frozen and healed?"""

import resource
import shutil
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from string import Template
from typing import NamedTuple, NoReturn

from streams.kafka.guarded_process import GuardedProcess
from streams.kafka.local_broker import BrokerStartError
from streams.kafka.loopback import broker_answers

_PROPERTIES = Path(__file__).with_name("cluster.properties.template")
_CLUSTER_ID = "Zzk2MDMtY2hhb3MtaGFybg"
_SECONDS_MAX = 120.0
"""For a start on a machine that is busy with two others."""
_STOP_SECONDS_MAX = 30.0
_EXCERPT_CHARACTERS = 3000


class BrokerPorts(NamedTuple):
    """Where a broker listens."""

    proxy: int
    """The proxy's: what the broker tells clients."""
    broker: int
    """Behind the proxy."""
    direct: int
    """For the other brokers, and for the harness."""
    controller: int


class ClusterBroker:
    """One broker and controller; its data goes with `remove`.

    Args:
        node: Its number, from 1.
        ports: By node, of all.
        command: Java with the jars of a Kafka.
        settings: Added to its properties.
    """

    def __init__(
        self,
        node: int,
        ports: Mapping[int, BrokerPorts],
        command: list[str],
        settings: Mapping[str, str],
    ) -> None:
        self.node = node
        self.ports = ports[node]
        self._command = command
        self._folder = Path(tempfile.mkdtemp(prefix=f"g9603-kafka-{node}-"))
        self._log = self._folder / "kafka.log"
        self.properties_path = self._folder / "server.properties"
        self._process: GuardedProcess | None = None
        self._voters = ",".join(f"{number}@127.0.0.1:{each.controller}" for number, each in ports.items())
        self.configure(settings)

    @property
    def running(self) -> bool:
        """Whether its process lives, frozen or not."""
        return self._process is not None and self._process.exit_code is None

    @property
    def answering(self) -> bool:
        """Whether it serves requests, and knows of a broker that is up."""
        return broker_answers(self.ports.direct)

    @property
    def log(self) -> str:
        """What it has said since it was last started."""
        return self._log.read_text(encoding="utf-8", errors="replace")

    def configure(self, settings: Mapping[str, str]) -> None:
        """Add *settings* to its properties, instead of those before; they count from its next start."""
        properties = Template(_PROPERTIES.read_text(encoding="utf-8")).substitute(
            node=self.node,
            voters=self._voters,
            broker_port=self.ports.broker,
            direct_port=self.ports.direct,
            controller_port=self.ports.controller,
            proxy_port=self.ports.proxy,
            data=self._folder / "data",
            further="\n".join(f"{name}={value}" for name, value in settings.items()),
        )
        self.properties_path.write_text(properties, encoding="utf-8")

    def format(self) -> None:
        """Make its data folder, with an empty log of the cluster's metadata."""
        options = ["-t", _CLUSTER_ID, "-c", str(self.properties_path)]
        with self._run("kafka.tools.StorageTool", "format", *options) as process:
            if process.wait(_SECONDS_MAX) != 0:
                self._fail("could not format its data folder")

    def launch(self) -> None:
        """Start its process, where it does not run; see `wait`."""
        if not self.running:
            self.kill()  # clears up after one that ended by itself
            self._process = self._run("kafka.Kafka", str(self.properties_path))

    def wait(self) -> None:
        """Wait until it answers.

        Raises:
            BrokerStartError: It ended, or did not answer in time.
        """
        deadline = time.monotonic() + _SECONDS_MAX
        while not self.answering:
            if not self.running:
                self._fail("ended")
            if time.monotonic() > deadline:
                self._fail(f"did not answer within {_SECONDS_MAX:.0f} s")
            time.sleep(0.1)

    def start(self) -> None:
        """Start it on the data it left, and wait until it answers."""
        self.launch()
        self.wait()

    def shut_down(self) -> None:
        """Stop it in good order (SIGTERM): it hands its partitions over first."""
        if self._process is not None:
            self._process.terminate(_STOP_SECONDS_MAX)
            self._process = None

    def kill(self) -> None:
        """SIGKILL."""
        if self._process is not None:
            self._process.kill()
            self._process = None

    def pause(self) -> None:
        """SIGSTOP: its connections stay open, and nothing is answered."""
        if self._process is not None:
            self._process.pause()

    def resume(self) -> None:
        """SIGCONT."""
        if self._process is not None:
            self._process.resume()

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
        shutil.rmtree(self._folder, ignore_errors=True)

    def _run(self, program: str, *arguments: str) -> GuardedProcess:
        return GuardedProcess([*self._command, program, *arguments], folder=self._folder, log_path=self._log)

    def _fail(self, what_happened: str) -> NoReturn:
        log = self.log
        _, error, rest = log.partition(" ERROR ")
        excerpt = rest[:_EXCERPT_CHARACTERS] if error else log[-_EXCERPT_CHARACTERS:]
        message = f"Broker {self.node} of the chaos cluster {what_happened}. Its log says:\n{excerpt}"
        raise BrokerStartError(message)
