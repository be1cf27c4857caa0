"""A study of a log: everything is read and sorted once, then examined bucket by bucket, in several processes.

Kafka is read by aiokafka: in batches and with a record's headers it took 5.9 µs of processor time a record, where
confluent-kafka took 6.0, and it takes the credentials that every command has.
"""

import asyncio
import gc
import multiprocessing
import os
import tempfile
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from aiokafka import TopicPartition

from streams.kafka.connection import connection_options
from streams.kafka.log_reader import OffsetRange, read_ranges
from streams.replay.spill import SpillPlace, SpillWriter, read_bucket
from streams.replay.study import Progress, Study
from streams.settings import Settings

ResultT = TypeVar("ResultT")
Ranges = Mapping[TopicPartition, OffsetRange]
OnProgress = Callable[[Progress], None]

_BUCKET_RECORDS = 50_000
"""About 100 MB of objects while a bucket is examined."""
_BUCKETS_MAX = 2_048
_TASKS_PER_PROCESS = 4
_FEW_RECORDS = 50_000
"""So many are read before other processes have started."""
_LOOK_SECONDS = 0.2


async def replay_here(
    study: Study[ResultT],
    connection: Mapping[str, Any],
    ranges: Ranges,
    *,
    on_progress: OnProgress = lambda _: None,
) -> list[ResultT]:
    """What *study* says of each bucket of the records of *ranges*, found out in this process.

    Args:
        study: What to find out.
        connection: Options of an aiokafka client.
        ranges: What to read.
        on_progress: Told how far it has come.
    """
    to_read, results = _size(ranges), []
    with _spill_place(to_read) as place:
        progress = Progress(0, to_read, 0, place.bucket_count)

        def count(read: int) -> None:
            nonlocal progress
            progress = progress._replace(read=progress.read + read)
            on_progress(progress)

        await _sort(study, connection, ranges, SpillWriter(place, "0"), count)
        for bucket in range(place.bucket_count):
            results.append(study.examine(read_bucket(place, bucket)))
            progress = progress._replace(examined=bucket + 1)
            on_progress(progress)
    return results


def replay(
    study_maker: Callable[[], Study[ResultT]],
    settings: Settings,
    ranges: Ranges,
    *,
    processes: int | None = None,
    on_progress: OnProgress = lambda _: None,
) -> Iterator[ResultT]:
    """What a study says of each bucket of the records of *ranges*, in no order.

    Args:
        study_maker: Makes the study in each process; can be passed to one.
        settings: Where the brokers are.
        ranges: What to read.
        processes: How many to work in; as many as there are processors where None.
        on_progress: Told how far it has come.
    """
    processes = processes or _processor_count()
    if processes == 1 or _size(ranges) < _FEW_RECORDS:
        connection = connection_options(settings)
        yield from asyncio.run(replay_here(study_maker(), connection, ranges, on_progress=on_progress))
        return
    with _spill_place(_size(ranges)) as place:
        yield from _replay_in(processes, study_maker, settings, ranges, place, on_progress)


def _processor_count() -> int:
    """How many processors this process may use; how many there are, where the system does not tell."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _size(ranges: Ranges) -> int:
    return sum(wanted.end - wanted.begin for wanted in ranges.values())


@contextmanager
def _spill_place(record_count: int) -> Iterator[SpillPlace]:
    bucket_count = min(max(record_count // _BUCKET_RECORDS, 1), _BUCKETS_MAX)
    with tempfile.TemporaryDirectory(prefix="g9603-replay-", ignore_cleanup_errors=True) as folder:
        yield SpillPlace.in_folder(Path(folder), bucket_count)


async def _sort(
    study: Study[Any],
    connection: Mapping[str, Any],
    ranges: Ranges,
    writer: SpillWriter,
    count: Callable[[int], None],
) -> None:
    offsets = {tp: wanted.begin for tp, wanted in ranges.items()}
    async for run in read_ranges(connection, ranges):
        for key, entry in study.sort(run):
            writer.add(key, entry)
        count(run.next_offset - offsets[run.partition])
        offsets[run.partition] = run.next_offset
    count(sum(wanted.end - offsets[tp] for tp, wanted in ranges.items()))  # the markers at the ends
    writer.close()


# ---------------------------------------------------------------------------------------------
# In several processes
# ---------------------------------------------------------------------------------------------
class _Here(NamedTuple):
    """What one of the processes works with."""

    study: Study[Any]
    settings: Settings
    place: SpillPlace
    read: Any
    """A number that all processes add to."""


_here: _Here


def _begin(study_maker: Callable[[], Study[Any]], settings: Settings, place: SpillPlace, read: Any) -> None:  # noqa: ANN401 - multiprocessing has no type for it
    global _here  # noqa: PLW0603 - what a process is for is known once
    # Nothing here makes cycles by the record: looking for some among a million facts costs more than all of the work.
    gc.set_threshold(1_000_000)
    _here = _Here(study_maker(), settings, place, read)


def _sort_there(name: str, ranges: Ranges) -> None:
    def count(read: int) -> None:
        with _here.read.get_lock():
            _here.read.value += read

    writer = SpillWriter(_here.place, name)
    asyncio.run(_sort(_here.study, connection_options(_here.settings), ranges, writer, count))


def _examine_there(bucket: int) -> Any:  # noqa: ANN401 - whatever the study says
    return _here.study.examine(read_bucket(_here.place, bucket))


def _replay_in(  # noqa: PLR0913, PLR0917 - what `replay` was asked for
    processes: int,
    study_maker: Callable[[], Study[ResultT]],
    settings: Settings,
    ranges: Ranges,
    place: SpillPlace,
    on_progress: OnProgress,
) -> Iterator[ResultT]:
    context = multiprocessing.get_context("spawn")
    read = context.Value("q", 0)
    progress = Progress(0, _size(ranges), 0, place.bucket_count)
    with ProcessPoolExecutor(processes, context, _begin, (study_maker, settings, place, read)) as pool:
        shares = _shares(ranges, processes * _TASKS_PER_PROCESS)
        sorting = [pool.submit(_sort_there, str(number), share) for number, share in enumerate(shares)]
        for future in _as_completed(sorting, lambda: on_progress(progress._replace(read=read.value))):
            future.result()
        progress = progress._replace(read=read.value)
        examining = [pool.submit(_examine_there, bucket) for bucket in range(place.bucket_count)]
        for examined, future in enumerate(_as_completed(examining, lambda: None), start=1):
            on_progress(progress._replace(examined=examined))
            yield future.result()


def _as_completed(futures: list[Future[Any]], look: Callable[[], None]) -> Iterator[Future[Any]]:
    """*futures* as they are done, with a *look* now and then; what is left is given up where one fails."""
    pending = set(futures)
    try:
        while pending:
            done, pending = wait(pending, _LOOK_SECONDS, FIRST_COMPLETED)
            yield from done
            look()
    finally:
        for future in pending:
            future.cancel()


def _shares(ranges: Ranges, count: int) -> list[dict[TopicPartition, OffsetRange]]:
    """*ranges* in at most *count* shares of about the same size, the larger ones first; no partition is divided."""
    shares: list[dict[TopicPartition, OffsetRange]] = [{} for _ in range(count)]
    for tp, wanted in sorted(ranges.items(), key=lambda item: item[1].begin - item[1].end):
        min(shares, key=_size)[tp] = wanted
    return sorted((share for share in shares if _size(share)), key=_size, reverse=True)
