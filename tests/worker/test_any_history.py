"""Whatever happens to workers and to their group, billing is told what the input amounts to, once."""

import asyncio
from collections.abc import Sequence
from itertools import islice
from typing import Literal, NamedTuple, TypeAlias, get_args

import orjson
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn

from streams.processing.topology import InputKind
from streams.recount.billing_view import BillingView
from streams.worker.assignor import assign_tasks
from streams.worker.tuning import Tuning
from tests.driver import TOPOLOGY, TopicsInMemory, WorkerDriver, at_rest
from tests.expectation import Expectation
from tests.messages import message_bytes
from tests.policies_for_tests import DEFAULT
from tests.strategies import histories

TASKS = 2
WORKERS = 2
SMALL = Tuning(linger_seconds=0, inbox_records_max=2)

Happening: TypeAlias = Literal["deliver", "rest", "block", "unblock", "die", "break", "freeze", "rebalance"]


class Moment(NamedTuple):
    """What happens, to which worker; *records* more were sent before."""

    happening: Happening
    worker: int
    records: int


class Sent(NamedTuple):
    """A record of the input; to any partition, for producers partition as they like."""

    kind: InputKind
    partition: int
    value: bytes


@st.composite
def inputs(draw: DrawFn) -> list[Sent]:
    """All that is sent about a few episodes, in any order, with much in between that cannot be read."""
    kinds = st.sampled_from(list(InputKind))
    partitions = st.integers(0, TASKS - 1)
    sent = []
    for episode_id in ("E1", "E2"):
        for fact in draw(histories()):
            kind = InputKind.SURVEY if fact.identity[0] == "S" else InputKind.TREATMENT
            sent.append(Sent(kind, draw(partitions), message_bytes(fact, episode_id)))
    # Each of these must be one dead letter: no record is lost or processed twice without being seen here.
    sent += draw(st.lists(st.builds(Sent, kinds, partitions, st.just(b"no JSON")), min_size=10, max_size=20))
    return list(draw(st.permutations(sent)))


moments = st.builds(
    Moment,
    st.sampled_from((*["deliver"] * 8, *["rest"] * 4, *get_args(Happening))),
    st.integers(0, WORKERS - 1),
    st.sampled_from((0, 0, 1, 3)),
)


class Group:
    """The workers of one application, and what befalls them."""

    def __init__(self, topics: TopicsInMemory) -> None:
        self._topics = topics
        self._workers = [WorkerDriver(topics, SMALL) for _ in range(WORKERS)]
        self._deliveries: dict[WorkerDriver, asyncio.Task[int]] = {}
        self._frozen: set[WorkerDriver] = set()

    async def live_through(self, moment: Moment) -> None:
        """Let *moment* happen, and start those workers again that have ended."""
        worker = self._workers[moment.worker]
        match moment.happening:
            case "deliver":
                self._deliver(worker)
            case "rest":
                await at_rest(self._topics)
            case "block":
                worker.writer.may_commit.clear()
            case "unblock":
                worker.writer.may_commit.set()
                self._frozen.discard(worker)
            case "break":
                worker.writer.fault = ConnectionError()
            case "die":
                await self._replace(moment.worker)
            case "freeze":
                await self.rebalance(unaware=worker)
                self._frozen.add(worker)
            case "rebalance":
                await self.rebalance()
        await asyncio.sleep(0)
        for number, living in enumerate(self._workers):
            if living.failures:
                await self._replace(number)

    async def rebalance(self, *, unaware: WorkerDriver | None = None) -> None:
        """Deal out the tasks; the worker *unaware* is taken for dead, and is not told."""
        told = {worker.member_id: worker for worker in self._workers if worker is not unaware}
        owned = {member_id: worker.manager.tasks.keys() for member_id, worker in told.items()}
        for worker in told.values():
            worker.writer.may_commit.set()  # a member that cannot finish its step would be taken for dead
            await worker.revoke()
        self._topics.generation_id += 1
        for member_id, tasks in assign_tasks(TASKS, owned).items():
            await told[member_id].assign(*tasks)
        self._frozen.difference_update(told.values())

    async def finish(self) -> None:
        """Bring everybody together, and have all read that is left."""
        await self.rebalance()
        while any([await worker.deliver(records_max=1) for worker in self._workers if not worker.failures]):
            await at_rest(self._topics)
        for number, worker in enumerate(self._workers):
            if worker.failures:
                await self._replace(number)
                await self.finish()
                return
        for worker in self._workers:
            await worker.manager.close()

    def _deliver(self, worker: WorkerDriver) -> None:
        """Begin to hand over what is fetched: it may have to wait, as Faust's agent does."""
        earlier = self._deliveries.get(worker)
        if worker not in self._frozen and (earlier is None or earlier.done()):
            self._deliveries[worker] = asyncio.create_task(worker.deliver(records_max=1))

    async def _replace(self, number: int) -> None:
        """Have a worker be killed, noticed, and started anew."""
        dead, self._workers[number] = self._workers[number], WorkerDriver(self._topics, SMALL)
        dead.writer.fault = ConnectionError()  # what it had not written it never will
        dead.writer.may_commit.set()
        await dead.manager.close()
        await self.rebalance()


async def lived(sent: Sequence[Sent], history: Sequence[Moment]) -> TopicsInMemory:
    """The topics after *history*, with *sent* coming in meanwhile."""
    # A commit that failed has told the worker so; that nobody waits for it any more is no fault of the test.
    asyncio.get_running_loop().set_exception_handler(lambda _loop, _context: None)
    topics = TopicsInMemory(task_count=TASKS)
    group = Group(topics)
    await group.rebalance()
    coming = iter(enumerate(sent))
    for moment in history:
        for time_ms, (kind, partition, value) in islice(coming, moment.records):
            topics.send(kind, partition, value, timestamp_ms=time_ms)
        await group.live_through(moment)
    for time_ms, (kind, partition, value) in coming:
        topics.send(kind, partition, value, timestamp_ms=time_ms)
    await group.finish()
    return topics


@settings(max_examples=100, deadline=None)
@given(inputs(), st.lists(moments, min_size=20, max_size=60))
def test_any_history_ends_in_the_same_codes(sent: list[Sent], history: list[Moment]) -> None:
    """Kills, broken writes, zombies and rebalances at any moment lose nothing and double nothing."""
    topics = asyncio.run(lived(sent, history))

    expectation, view = Expectation(topics.coder.decoder, DEFAULT), BillingView()
    for topic, kind in TOPOLOGY.kinds.items():
        expectation.take(topics.records(topic), kind)
    for record in topics.records(TOPOLOGY.coding_events):
        view.take(record.value or b"")

    assert view.faults == []
    assert view.codes() == orjson.loads(orjson.dumps(expectation.codes()))
    assert len(topics.records(TOPOLOGY.dead_letter)) == len(expectation.rejected)
