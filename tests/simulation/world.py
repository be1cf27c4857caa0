"""One application in simulation: its broker, its workers, and whatever befalls them."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import count

from streams.intake.decoder import Decoder
from streams.processing.records import OutputRecord
from streams.processing.task_coder import Coder
from streams.processing.topology import InputKind
from streams.worker.step import TopicPartition
from tests.policies_for_tests import DEFAULT, INSTRUMENTS
from tests.simulation.audit import Audit
from tests.simulation.broker import Broker
from tests.simulation.clients import Connection
from tests.simulation.idle_loop import IdleLoop
from tests.simulation.invariants import Invariant, require
from tests.simulation.network import Network, Request
from tests.simulation.partition_log import Fate
from tests.simulation.process import SimulatedProcess
from tests.simulation.protocol import Protocol
from tests.simulation.timeline import Timeline
from tests.tasks_in_memory import TOPOLOGY

TASKS = 2
SLOTS = 2
ROUNDS_MAX = 200


class World:
    """Everything, and the one way to change any of it.

    Args:
        protocol: The promises that broker and workers keep.
        seed: Of the run, for the timeline.
    """

    def __init__(self, protocol: Protocol, seed: int) -> None:
        self.timeline = Timeline(seed)
        self.broker = Broker(TASKS, protocol)
        self.network = Network(self.timeline)
        counts = {specification.name: TASKS for specification in TOPOLOGY.specifications}
        self.coder = Coder(Decoder(INSTRUMENTS), DEFAULT, TOPOLOGY, counts)
        self.audit = Audit(self.broker, self.coder, self.timeline)
        self.slots: list[SimulatedProcess | None] = [None] * SLOTS
        self._protocol = protocol
        self._loop = IdleLoop()
        self._numbers = count(1)

    # -----------------------------------------------------------------------------------------
    # Input
    # -----------------------------------------------------------------------------------------
    def send(self, kind: InputKind, partition: int, value: bytes, *, timestamp_ms: int, commits: bool = True) -> None:
        """Append a producer's transaction of one record: the record, and the marker that decides it."""
        tp = TopicPartition(kind, partition)
        log = self.broker.logs[tp]
        record = OutputRecord(tp.topic, partition, b"any", value)
        log.append_plain(record, timestamp_ms=timestamp_ms, fate=Fate.COMMITTED if commits else Fate.ABORTED)
        log.append_control()
        self.timeline.note("producer", f"{'commits' if commits else 'aborts'} {len(value)} bytes in {kind}-{partition}")

    # -----------------------------------------------------------------------------------------
    # Workers
    # -----------------------------------------------------------------------------------------
    def start(self, slot: int) -> SimulatedProcess:
        """Start a process in *slot*, where none lives."""
        number = next(self._numbers)
        name = f"w{slot}.{number}"
        self.timeline.note(name, "starts")

        async def begin() -> SimulatedProcess:
            return SimulatedProcess(
                slot=slot,
                number=number,
                connection=Connection(name, self.network, self.broker),
                coder=self.coder,
                audit=self.audit,
                protocol=self._protocol,
                timeline=self.timeline,
            )

        process = self._loop.run_until_complete(begin())
        self.slots[slot] = process
        self.run()
        return process

    def kill(self, process: SimulatedProcess) -> None:
        """SIGKILL."""
        self.timeline.note(process.name, "is killed")
        process.kill()

    def stop(self, process: SimulatedProcess) -> None:
        """SIGTERM."""
        self.timeline.note(process.name, "is asked to stop")
        process.stop()
        self.run()

    def pause(self, process: SimulatedProcess) -> None:
        """SIGSTOP."""
        process.is_paused = True
        self.timeline.note(process.name, "is paused")

    def resume(self, process: SimulatedProcess) -> None:
        """SIGCONT."""
        process.is_paused = False
        self.timeline.note(process.name, "goes on")

    def fetch(self, process: SimulatedProcess, records_max: int, *, of: Iterable[int] = range(TASKS)) -> int:
        """Have *process* fetch from its partitions; how many records came. They wait to be handed over."""
        partitions = set(of)
        fetched = sum(process.fetch(tp, records_max) for tp in list(process.positions) if tp.partition in partitions)
        self.run()
        return fetched

    def read(self, process: SimulatedProcess, records_max: int) -> int:
        """Have *process* fetch, and its tasks take in what came as far as they have room; how many records came."""
        fetched = self.fetch(process, records_max)
        while self.move([request for request in self.network.of(process.name) if request.is_inside]):
            pass
        return fetched

    def hear(self, process: SimulatedProcess) -> bool:
        """Have *process* send a heartbeat."""
        heard = process.hear()
        self.run()
        return heard

    def living(self) -> Iterator[SimulatedProcess]:
        """Every process that lives, paused ones included."""
        return (process for process in self.slots if process is not None and process.is_alive)

    def running(self) -> Iterator[SimulatedProcess]:
        """Every process that runs."""
        return (process for process in self.living() if not process.is_paused)

    # -----------------------------------------------------------------------------------------
    # Network and broker
    # -----------------------------------------------------------------------------------------
    def move(self, requests: Sequence[Request]) -> bool:
        """Have the broker take the first of *requests* that need not wait, and hand its answer over."""
        for request in requests:
            if self.network.take(request):
                self.network.hand_over(request)
                self.run()
                return True
        return False

    def lose(self, request: Request) -> None:
        """Break the connection under *request*."""
        self.network.lose(request)
        self.run()

    def write_marker(self, transactional_id: str, participant: TopicPartition) -> None:
        """Write one marker."""
        commits = self.broker.write_marker(transactional_id, participant)
        what = "commit" if commits else "abort"
        name = f"{participant.topic}-{participant.partition}"
        self.timeline.note("broker", f"writes {transactional_id}'s {what} marker to {name}")

    def write_all_markers(self) -> bool:
        """Write every marker that is missing; whether there was any."""
        missing = self.broker.missing_markers()
        for transactional_id, participant in missing:
            self.write_marker(transactional_id, participant)
        return bool(missing)

    def end_rebalance(self) -> None:
        """Give up members that have not joined, and deal out the tasks."""
        self.broker.group.end_rebalance()
        self.timeline.note("group", f"has generation {self.broker.group.generation_id}")

    def expire(self, member_id: str) -> None:
        """The session of a member times out."""
        if member_id in self.broker.group.members:
            self.broker.group.leave(member_id)
            self.timeline.note("group", f"gives up {member_id}")

    def abort(self, transactional_id: str) -> None:
        """A transaction has lasted too long."""
        self.broker.transactions.abort(transactional_id)
        self.timeline.note("broker", f"aborts the transaction of {transactional_id}: its time is up")

    def compact(self, partition: int) -> None:
        """Compact one partition of the changelog."""
        self.broker.logs[TopicPartition(TOPOLOGY.episodes_changelog, partition)].compact()
        self.timeline.note("broker", f"compacts changelog-{partition}")

    def run(self) -> None:
        """Run every process until it waits for the network."""
        self._loop.run_until_idle()

    # -----------------------------------------------------------------------------------------
    # Rest
    # -----------------------------------------------------------------------------------------
    def work_up_to(self, process: SimulatedProcess, name: str) -> None:
        """Let *process* do what it can until a request whose name begins with *name* is on its way."""
        while process.is_alive and not any(r.name.startswith(name) for r in self.network.of(process.name)):
            if not (self.hear(process) or self.move(self.network.of(process.name))):
                return

    def rest(self) -> None:
        """Let everybody who runs do all that can be done without reading more; a rebalance ends if it can."""
        moved = True
        while moved:
            moved = False
            for process in list(self.running()):
                moved |= self.calm(process)
            moved |= self.end_complete_rebalance()

    def end_complete_rebalance(self) -> bool:
        """Deal out the tasks, where nobody is waited for; whether that was so."""
        group = self.broker.group
        is_complete = group.is_rebalancing and group.all_have_joined and bool(group.members)
        if is_complete:
            self.end_rebalance()
        return is_complete

    def calm(self, process: SimulatedProcess) -> bool:
        """Let *process* do all that it can, without reading more; whether it did anything."""
        moved = False
        while process.is_alive and (self.hear(process) or self.move(self.network.of(process.name))):
            moved = True
        return moved

    def finish(self) -> None:
        """Heal everything, read all that is left, and hold the invariants.

        Raises:
            ViolationError: One does not hold, or the workers do not come to an end.
        """
        for process in self.living():
            process.is_paused = False
        while self.network.stragglers:
            self.network.take_straggler(self.network.stragglers[0])
            self.audit.check()
        for process in list(self.running()):
            self.read(process, 100)
        self.rest()
        self.audit.check()
        rounds = 0
        while rounds < ROUNDS_MAX and self._round():
            rounds += 1
            self.audit.check()
        held = {p: task.episodes for process in self.living() for p, task in process.tasks.items()}
        with self.timeline.told():
            require(rounds < ROUNDS_MAX, Invariant.LIVENESS, f"the workers are still busy after {rounds} rounds")
            require(len(held) == TASKS, Invariant.LIVENESS, f"only partitions {sorted(held)} have a task")
        self.audit.check_end(held)

    def close(self) -> None:
        """End the processes."""
        for process in self.living():
            process.kill()
        self._loop.end()

    def _round(self) -> bool:
        """Whether anything was left to do."""
        moved = False
        for slot in range(SLOTS):
            process = self.slots[slot]
            if process is None or not process.is_alive:
                self.start(slot)
                moved = True
        for process in list(self.running()):
            moved |= self.calm(process)
        moved |= self.write_all_markers()
        moved |= self.end_complete_rebalance()
        for process in list(self.running()):
            moved |= self.read(process, 100) > 0
        return moved or self._pass_time()

    def _pass_time(self) -> bool:
        """Let sessions of the dead and transactions that nobody goes on with time out; whether there were any."""
        known = {process.member_id for process in self.living()}
        dead = [member_id for member_id in self.broker.group.members if member_id not in known]
        for member_id in dead:
            self.expire(member_id)
        open_ones = self.broker.transactions.open_ones()
        for transactional_id in open_ones:
            self.abort(transactional_id)
        return bool(dead or open_ones)
