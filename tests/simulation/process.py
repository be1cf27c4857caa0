"""A worker process: the real task manager, with membership and fetching as Faust and aiokafka do them."""

import asyncio
from collections.abc import Collection, Coroutine, Mapping, Sequence
from functools import partial

from streams.processing.records import FetchedRecord
from streams.processing.stream_task import StreamTask
from streams.processing.task_coder import Coder
from streams.worker.step import Generation, TopicPartition
from streams.worker.task_manager import TaskManager
from streams.worker.tuning import Tuning
from tests.simulation.audit import Audit
from tests.simulation.clients import Connection, SimulatedRestorer, SimulatedWriter
from tests.simulation.group_coordinator import NOBODY
from tests.simulation.protocol import Protocol
from tests.simulation.refusals import RebalancingError, StaleMemberError
from tests.simulation.timeline import Timeline
from tests.tasks_in_memory import NothingMore, Record

SMALL = Tuning(linger_seconds=0, inbox_records_max=4)

_Fetched = tuple[TopicPartition, Sequence[Record], int]


class SimulatedProcess:
    """One life of a worker, from its start to its end.

    Args:
        slot: Its place on its machine: the transactional id is made of it.
        number: Of the process; a later one has a greater number.
        connection: Its way to the broker.
        coder: What its tasks share.
        audit: Is told what the process undertakes.
        protocol: The promises that it keeps.
        timeline: Is told what becomes of it.
    """

    def __init__(  # noqa: PLR0913 - what a process consists of
        self,
        *,
        slot: int,
        number: int,
        connection: Connection,
        coder: Coder,
        audit: Audit,
        protocol: Protocol,
        timeline: Timeline,
    ) -> None:
        self.is_alive = True
        self.is_paused = False
        self.membership = NOBODY
        self.member_id = ""
        self.positions: dict[TopicPartition, int] = {}
        """Where the next fetch of each partition begins; empty while it has none."""
        self.slot = slot
        self.name = connection.name
        self._connection = connection
        self._timeline = timeline
        self._fetched: asyncio.Queue[_Fetched] = asyncio.Queue()
        self._told: asyncio.Future[Exception] | None = None
        writer = SimulatedWriter(
            connection,
            audit=audit,
            protocol=protocol,
            transactional_id=f"slot-{slot}",
            process=number,
            current_generation=lambda: self.membership,
        )
        self.manager = _manager_of(protocol)(
            coder,
            restorer=SimulatedRestorer(connection, protocol),
            writer=writer,
            backlog=NothingMore(),
            on_failure=self._fail,
            tuning=SMALL,
        )
        self._loop = asyncio.get_running_loop()
        self._running = [self._loop.create_task(self._guarded(part)) for part in (self._belong(), self._receive())]

    @property
    def tasks(self) -> Mapping[int, StreamTask]:
        """Its tasks, by partition; nobody but the tests wants to look into them."""
        return self.manager._tasks  # noqa: SLF001

    def hear(self) -> bool:
        """Send a heartbeat, and get its answer; whether there was anything to hear."""
        if self._told is None or self._told.done():
            return False
        try:
            self._connection.broker.group.heartbeat(self.member_id)
        except (RebalancingError, StaleMemberError) as told:
            self._timeline.note(self.name, f"hears {type(told).__name__}")
            self._told.set_result(told)
            return True
        return False

    def fetch(self, tp: TopicPartition, records_max: int) -> int:
        """Fetch committed records of *tp* and begin to hand them over; how many came."""
        log = self._connection.broker.logs[tp]
        start = self.positions[tp]
        records = log.read_committed(start)
        is_whole = len(records) <= records_max
        records = records[:records_max]
        self.positions[tp] = max(start, log.last_stable_offset if is_whole else records[-1].offset + 1)
        if records:
            self._timeline.note(self.name, f"fetches {len(records)} of {tp.topic}-{tp.partition}@{records[0].offset}")
            self._fetched.put_nowait((tp, records, self.membership.id))
        return len(records)

    def kill(self) -> None:
        """End, at any point and without a word."""
        self.is_alive = False
        self._told = None
        self.positions = {}
        self._connection.close()

    def stop(self) -> None:
        """SIGTERM: finish the step in hand, leave the group, and end."""
        for running in self._running:
            running.cancel()
        self._told = None
        self.positions = {}
        self._running = [self._loop.create_task(self._guarded(self._leave()))]

    async def _belong(self) -> None:
        """Be a member: join, take over tasks, and do so again whenever the group says so."""
        owned: Sequence[int] = ()
        group = self._connection.broker.group
        while True:
            await self.manager.revoke()
            self.member_id = await self._connection.ask("JoinGroup", partial(group.join, self.member_id, owned))
            try:
                generation, tasks = await self._connection.ask("SyncGroup", partial(group.sync, self.member_id))
            except RebalancingError:
                continue
            except StaleMemberError:
                self._become_nobody()
                continue
            self.membership = generation
            self._timeline.note(self.name, f"has tasks {list(tasks)} in generation {generation.id}")
            await self.manager.assign(generation, tasks)
            owned = tasks
            self.positions = self.manager.next_offsets()
            self._told = asyncio.get_running_loop().create_future()
            told = await self._told
            self._told, self.positions = None, {}
            if isinstance(told, StaleMemberError):
                self._become_nobody()

    async def _guarded(self, part: Coroutine[None, None, None]) -> None:
        try:
            await part
        except Exception as error:  # noqa: BLE001 - whatever it is, Faust ends the process
            self._fail(error)

    def _become_nobody(self) -> None:
        self.member_id, self.membership = "", NOBODY

    async def _receive(self) -> None:
        while True:
            fetched = [await self._fetched.get()]
            await self._connection.pass_on("hands over what it has fetched")
            while not self._fetched.empty():
                fetched.append(self._fetched.get_nowait())
            for source, records, generation_id in fetched:
                await self.manager.receive(source, records, generation_id=generation_id)

    async def _leave(self) -> None:
        await self.manager.close()
        await self._connection.ask("LeaveGroup", partial(self._connection.broker.group.leave, self.member_id))
        self._timeline.note(self.name, "has stopped")
        self.kill()

    def _fail(self, error: BaseException) -> None:
        if self.is_alive:
            self._timeline.note(self.name, f"ends itself: {type(error).__name__}")
            self.kill()


def _manager_of(protocol: Protocol) -> type[TaskManager]:
    if not protocol.parks_for_one_generation:
        return _ManagerThatParksForTwo
    return TaskManager if protocol.drops_stale_fetches else _ManagerThatTakesWhatIsStale


class _ManagerThatTakesWhatIsStale(TaskManager):
    """Broken on purpose: see `Protocol.drops_stale_fetches`."""

    async def receive(self, source: TopicPartition, records: Sequence[FetchedRecord], *, generation_id: int) -> None:
        current = generation_id if self._generation is None else self._generation.id
        await super().receive(source, records, generation_id=current)


class _ManagerThatParksForTwo(TaskManager):
    """Broken on purpose: see `Protocol.parks_for_one_generation`."""

    def _still_ours(self, generation: Generation, partitions: Collection[int]) -> dict[int, StreamTask]:
        parked = self._parked
        if parked is not None and generation.id == parked.generation.id + 2:
            self._parked = parked._replace(generation=parked.generation._replace(id=generation.id - 1))
        return super()._still_ours(generation, partitions)
