"""Any history of an application, rule by rule, with the invariants held after each.

Hypothesis draws the rules and, where an invariant breaks, shortens the history to the one that is shown.
"""

from typing import ClassVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from schemas.vocabulary import RecordStatus
from streams.processing.topology import InputKind
from tests.care import Message, baseline, care, episodes_at_home_in, follow_up, treatment
from tests.simulation.openings import OPENINGS
from tests.simulation.process import SimulatedProcess
from tests.simulation.protocol import AS_BUILT, Protocol
from tests.simulation.timeline import ViolationError
from tests.simulation.world import SLOTS, TASKS, World

EPISODES = tuple(next(episodes_at_home_in(partition, task_count=TASKS)) for partition in range(TASKS))


def _messages() -> list[Message]:
    """What is ever told of the episodes: care, corrections that take a code back and give it again, and garbage."""
    told = [Message("", InputKind.SURVEY, b"no JSON"), Message("", InputKind.TREATMENT, b"{}")]
    for episode_id in EPISODES:
        told += [baseline(episode_id), treatment(episode_id), follow_up(episode_id)]
        told += [follow_up(episode_id, version=2, score="7"), follow_up(episode_id, version=3, score="1")]
        told.append(treatment(episode_id, version=2, status=RecordStatus.ENTERED_IN_ERROR))
    return told


REQUESTS = ("SyncGroup", "ListOffsets", "AddPartitionsToTxn", "Produce", "AddOffsetsToTxn", "TxnOffsetCommit", "EndTxn")
"""Where to stop a worker, by how the names of requests begin."""

partitions = st.integers(0, TASKS - 1)
slots = st.integers(0, SLOTS - 1)
few = st.integers(1, 4)
any_of_them = st.integers(0, 5)
messages = st.lists(st.tuples(st.sampled_from(_messages()), partitions, st.booleans()), min_size=1, max_size=3)


class StreamTasksMachine(RuleBasedStateMachine):
    """The rules. A rule that has nothing to do does nothing."""

    protocol: ClassVar[Protocol] = AS_BUILT
    seed: ClassVar[int] = 0
    opening: ClassVar[str | None] = None
    """The one that every history begins with; None draws it."""

    def __init__(self) -> None:
        super().__init__()
        self.world = World(self.protocol, self.seed)
        self._has_failed = False

    # -----------------------------------------------------------------------------------------
    # The usual
    # -----------------------------------------------------------------------------------------
    @initialize(sent=messages, opening=st.sampled_from(tuple(OPENINGS)))
    def begin(self, sent: list[tuple[Message, int, bool]], opening: str) -> None:
        """Some input, and the moves of an opening."""
        for message in (*care(EPISODES[0]), baseline(EPISODES[1])):
            self.world.send(message.kind, EPISODES.index(message.episode_id), message.value, timestamp_ms=0)
        self.send(sent)
        OPENINGS[self.opening or opening](self.world)

    @rule(sent=messages)
    def send(self, sent: list[tuple[Message, int, bool]]) -> None:
        """Producers send, late, twice, to any partition; some of it in a transaction that they abort."""
        for time_ms, (message, partition, away) in enumerate(sent):
            home = EPISODES.index(message.episode_id) if message.episode_id else partition
            to = (home + 1) % TASKS if away else home
            self.world.send(message.kind, to, message.value, timestamp_ms=time_ms, commits=time_ms < 2)

    @rule(slot=slots, records_max=few, partition=st.sampled_from((None, *range(TASKS))))
    def fetch(self, slot: int, records_max: int, partition: int | None) -> None:
        """A worker fetches, of one of its partitions or of all; what came waits to be handed over."""
        for process in self._running(slot):
            self.world.fetch(process, records_max, of=range(TASKS) if partition is None else [partition])

    @rule(slot=slots, records_max=few)
    def read(self, slot: int, records_max: int) -> None:
        """A worker fetches of all its partitions, and gets every answer that there is."""
        for process in self._running(slot):
            self.world.read(process, records_max)
            self.world.calm(process)

    @rule(slot=slots, moves=st.integers(1, 8), first=any_of_them)
    def work(self, slot: int, moves: int, first: int) -> None:
        """A worker gets some answers, in any order."""
        for process in self._running(slot):
            for _ in range(moves):
                requests = self.world.network.of(process.name)
                at = first % len(requests) if requests else 0
                if not self.world.move([*requests[at:], *requests[:at]]):
                    break

    @rule(slot=slots, name=st.sampled_from(REQUESTS))
    def work_up_to(self, slot: int, name: str) -> None:
        """A worker gets answers until it has sent a request of a certain kind, which the broker has not taken."""
        for process in self._running(slot):
            self.world.work_up_to(process, name)

    @rule()
    def rest(self) -> None:
        """Everybody who runs does all that can be done without reading more; a rebalance ends if it can."""
        self.world.rest()

    @rule(count=st.integers(1, 12), first=any_of_them)
    def write_markers(self, count: int, first: int) -> None:
        """The broker writes some markers, in any order."""
        for _ in range(count):
            missing = self.world.broker.missing_markers()
            if missing:
                self.world.write_marker(*missing[first % len(missing)])

    @rule(partition=partitions)
    def compact(self, partition: int) -> None:
        """The broker compacts the changelog."""
        self.world.compact(partition)

    # -----------------------------------------------------------------------------------------
    # Workers come and go
    # -----------------------------------------------------------------------------------------
    @rule(slot=slots)
    def start(self, slot: int) -> None:
        """A worker starts where none lives, and joins."""
        process = self.world.slots[slot]
        if process is None or not process.is_alive:
            self.world.calm(self.world.start(slot))

    @rule(slot=slots, is_asked=st.booleans())
    def end(self, slot: int, *, is_asked: bool) -> None:
        """A worker is killed, whatever it does; or it is asked to stop, which it does if it has its tasks."""
        for process in self._living(slot):
            if not is_asked:
                self.world.kill(process)
            elif process.positions and not process.is_paused:
                self.world.stop(process)
                self.world.calm(process)

    @rule(slot=slots, at=st.sampled_from((None, *REQUESTS)), for_long=st.booleans())
    def pause(self, slot: int, at: str | None, *, for_long: bool) -> None:
        """A worker is stopped in its tracks, and does not know; the others go on, and may take over its tasks."""
        for process in self._running(slot):
            if at is not None:
                self.world.work_up_to(process, at)
            self.world.pause(process)
            if for_long:
                self.world.expire(process.member_id)
            self.world.rest()

    @rule(slot=slots)
    def resume(self, slot: int) -> None:
        """A paused worker goes on, as if nothing had been."""
        for process in self._living(slot):
            if process.is_paused:
                self.world.resume(process)

    # -----------------------------------------------------------------------------------------
    # Faults
    # -----------------------------------------------------------------------------------------
    @rule(slot=slots, request=any_of_them, is_taken=st.booleans(), is_lost=st.booleans())
    def disturb(self, slot: int, request: int, *, is_taken: bool, is_lost: bool) -> None:
        """The broker takes a request, and the answer waits; or the connection breaks, before or after that."""
        for process in self._living(slot):
            requests = self.world.network.of(process.name)
            if not requests:
                continue
            disturbed = requests[request % len(requests)]
            if is_taken:
                self.world.network.take(disturbed)
            if is_lost and not process.is_paused:
                self.world.lose(disturbed)

    @precondition(lambda self: self.world.network.stragglers)
    @rule(request=any_of_them)
    def take_late(self, request: int) -> None:
        """The broker takes what a dead process, or a connection that broke, has left behind."""
        stragglers = self.world.network.stragglers
        self.world.network.take_straggler(stragglers[request % len(stragglers)])

    @rule(member=any_of_them, is_over=st.booleans())
    def rebalance(self, member: int, *, is_over: bool) -> None:
        """The group gives up a member, dead or not, and may go on without those who have not joined yet."""
        members = list(self.world.broker.group.members)
        if members:
            self.world.expire(members[member % len(members)])
        if is_over and self.world.broker.group.is_rebalancing:
            self.world.end_rebalance()
        else:
            self.world.rest()

    @rule(transaction=any_of_them)
    def expire_transaction(self, transaction: int) -> None:
        """A transaction is aborted by time-out, dead worker or not."""
        open_ones = self.world.broker.transactions.open_ones()
        if open_ones:
            self.world.abort(open_ones[transaction % len(open_ones)])

    # -----------------------------------------------------------------------------------------
    # What must hold
    # -----------------------------------------------------------------------------------------
    @invariant()
    def holds(self) -> None:
        """I1 to I6."""
        try:
            self.world.audit.check()
        except ViolationError:
            self._has_failed = True
            raise

    def teardown(self) -> None:
        """Heal all, read all, and hold the invariants again."""
        try:
            if not self._has_failed:
                self.world.finish()
        finally:
            self.world.close()

    def _living(self, slot: int) -> list[SimulatedProcess]:
        return [process for process in self.world.living() if process.slot == slot]

    def _running(self, slot: int) -> list[SimulatedProcess]:
        return [process for process in self.world.running() if process.slot == slot]
