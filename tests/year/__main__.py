"""``python -m tests.year``: ten million records are coded and recounted; then one is forged, and is found."""

import argparse
import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from bench.process_tree import ProcessTree
from streams.kafka.group_lag import group_lag
from streams.local_kafka.local_broker import LocalKafka
from tests.chaos.report import silence_clients
from tests.fleet import Fleet
from tests.forgery import forge
from tests.year.parts import PARTITIONS, send_year

_RECORDS = 10_000_000
_STALL_SECONDS_MAX = 120.0
_POLL_SECONDS = 0.5
_err = Console(stderr=True)


class Recounted(NamedTuple):
    """What ``g9603 reconcile`` said, and what it used."""

    exit_code: int
    told: dict[str, Any]
    seconds: float
    peak_mib: float
    """The most that its processes had resident at one time, added up."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the year; 0 where the recount agrees, and finds what was forged afterwards."""
    asked = _parser().parse_args(arguments)
    silence_clients()
    with tempfile.TemporaryDirectory(prefix="g9603-year-") as folder, LocalKafka(on_progress=_err.print) as kafka:
        fleet = Fleet(kafka, "year-", Path(folder))
        return asyncio.run(_year(fleet, asked.records, asked.workers, asked.seed))


async def _year(fleet: Fleet, record_count: int, worker_count: int, seed: int) -> int:
    await fleet.create_topics(PARTITIONS)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=_err, refresh_per_second=1) as progress:
        sending = progress.add_task("sent", total=record_count)
        processes = os.cpu_count() or 1
        sent = await asyncio.to_thread(
            send_year,
            fleet.settings,
            record_count,
            seed=seed,
            processes=processes,
            on_sent=lambda count: progress.advance(sending, count),
        )
        for _ in range(worker_count):
            fleet.start()
        coding = progress.add_task("coded", total=sent)
        seconds = await _until_coded(fleet, sent, lambda left: progress.update(coding, completed=max(0, sent - left)))
    if any(await asyncio.to_thread(fleet.stop_all)):
        _err.print(fleet.logs())
        return 1
    _err.print(f"{sent:,} records were coded by {worker_count} workers, {sent / seconds:,.0f} a second")
    honest = await _reconciled(fleet)
    episode_id = await forge(fleet.connection, fleet.topology.coding_events)
    forged = await _reconciled(fleet)
    found = forged.told["different"]["first"] == [episode_id]
    for name, recounted in (("as it was coded", honest), ("with one event forged", forged)):
        _tell(name, recounted)
    _err.print(f"what was forged is {'the one thing' if found else 'not'} found")
    return 0 if (honest.exit_code, forged.exit_code, found) == (0, 1, True) else 1


async def _until_coded(fleet: Fleet, sent: int, on_left: Callable[[int], None]) -> float:
    """Wait until everything is committed; how many seconds that took."""
    begun_at = moved_at = time.monotonic()
    left = sent
    async with group_lag(fleet.connection, fleet.settings.app_id, fleet.topology.sources) as lag:
        while unread := await lag.unread():
            now = time.monotonic()
            if sum(unread.values()) != left:
                left, moved_at = sum(unread.values()), now
                on_left(left)
            if now - moved_at > _STALL_SECONDS_MAX or not all(worker.running for worker in fleet.workers):
                message = f"With {left:,} records left it goes on no more.\n{fleet.logs()}"
                raise RuntimeError(message)
            await asyncio.sleep(_POLL_SECONDS)
    on_left(0)
    return time.monotonic() - begun_at


async def _reconciled(fleet: Fleet) -> Recounted:
    begun_at = time.monotonic()
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "streams", "reconcile", "--json"),
        env=os.environ | fleet.settings.environment(),
        stdout=subprocess.PIPE,
    )
    tree, peak_mib = ProcessTree(process.pid), 0.0
    answer = asyncio.create_task(process.communicate())
    while not answer.done():
        peak_mib = max(peak_mib, tree.peak_resident_mib())
        await asyncio.wait([answer], timeout=_POLL_SECONDS)
    stdout, _ = await answer
    return Recounted(process.returncode or 0, json.loads(stdout), time.monotonic() - begun_at, peak_mib)


def _tell(name: str, recounted: Recounted) -> None:
    told, seconds = recounted.told, recounted.seconds
    faults = {kind: told[kind]["count"] for kind in ("missing", "extra", "different", "event_faults")}
    _err.print(
        f"{name}: exit code {recounted.exit_code}; {told['records']:,} records of {told['episodes']:,} episodes, "
        f"{told['codes_held']:,} codes held; {faults}, {told['dead_letter_faults']['count']} dead letters at fault; "
        f"{told['records'] / seconds:,.0f} records a second, {recounted.peak_mib:.0f} MiB in all processes",
        highlight=False,
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.year", description=__doc__)
    parser.add_argument("--records", type=int, default=_RECORDS, help="how many at least (%(default)s)")
    parser.add_argument("--workers", type=int, default=2, help="that code them (%(default)s)")
    parser.add_argument("--seed", type=int, default=9603, help="of the year (%(default)s)")
    return parser


if __name__ == "__main__":
    sys.exit(main())
