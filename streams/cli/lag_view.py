"""A group on a terminal: the answer first, then who works, then where it waits."""

from collections.abc import Iterator, Sequence

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from streams.monitoring.duration_text import duration_text
from streams.monitoring.group_view import Condition, GroupView, PartitionView, WorkerView

_PARTITIONS_MAX = 20
_STYLES = {
    Condition.IDLE: "bold green",
    Condition.UP_TO_DATE: "bold green",
    Condition.RECOVERING: "bold yellow",
    Condition.BEHIND: "bold red",
    Condition.BROKEN: "bold red",
}
_MIB = 1024 * 1024


def lag_view(view: GroupView) -> RenderableType:
    """*view*, for a person."""
    return Group(*_parts(view))


def _parts(view: GroupView) -> Iterator[RenderableType]:
    yield Text.assemble((view.condition.upper(), _STYLES[view.condition]), "  ", view.sentence)
    if view.cause is not None:
        yield Text(view.cause)
    for alert in view.alerts:
        yield Text.assemble((f"{alert.severity}: ", "bold"), alert.sentence, (f" ({alert.runbook})", "dim"))
    yield Text(_figures(view), style="dim")
    if view.workers:
        yield Text("")
        yield _worker_table(view.workers)
    waiting = sorted((p for p in view.partitions if p.lag_records), key=lambda p: (-p.lag_seconds, -p.lag_records))
    if waiting:
        yield Text("")
        yield _partition_table(waiting)


def _figures(view: GroupView) -> str:
    told = [f"group {view.app_id} ({view.group_state or 'unknown'})", f"{len(view.partitions)} partitions"]
    if view.in_per_second is not None and view.out_per_second is not None:
        told.append(f"in {view.in_per_second:,.0f}/s, out {view.out_per_second:,.0f}/s")
    if view.latency.p50 is not None and view.latency.p99 is not None:
        told.append(f"record to code {view.latency.p50:.2f} s, p99 {view.latency.p99:.2f} s")
    return " · ".join(told)


def _worker_table(workers: Sequence[WorkerView]) -> Table:
    table = Table(box=None, header_style="bold", pad_edge=False)
    table.add_column("worker", no_wrap=True)
    table.add_column("phase")
    table.add_column("partitions")
    for heading in ("records/s", "episodes", "memory MiB"):
        table.add_column(heading, justify="right")
    for worker in workers:
        table.add_row(
            Text(worker.place),
            Text(worker.phase, style="" if worker.phase == "working" else "yellow"),
            ranges_text(worker.partitions),
            f"{worker.records_per_second:,.0f}",
            f"{worker.episodes:,}",
            f"{worker.resident_bytes / _MIB:,.0f}",
        )
    return table


def _partition_table(waiting: Sequence[PartitionView]) -> Table:
    table = Table(box=None, header_style="bold", pad_edge=False)
    table.add_column("waiting in", no_wrap=True)
    table.add_column("records", justify="right")
    table.add_column("oldest", justify="right")
    table.add_column("worker")
    for partition in waiting[:_PARTITIONS_MAX]:
        table.add_row(
            Text(f"{partition.topic}-{partition.partition}"),
            f"{partition.lag_records:,}",
            duration_text(partition.lag_seconds) if partition.lag_seconds else "not known",
            Text(partition.worker or "nobody"),
        )
    if len(waiting) > _PARTITIONS_MAX:
        table.add_row(f"and {len(waiting) - _PARTITIONS_MAX:,} more", "", "", "")
    return table


def ranges_text(numbers: Sequence[int]) -> str:
    """Partition numbers, in ranges.

    >>> ranges_text([0, 1, 2, 5, 7, 8])
    '0-2, 5, 7-8'
    """
    ranges: list[list[int]] = []
    for number in sorted(numbers):
        if ranges and number == ranges[-1][-1] + 1:
            ranges[-1][1:] = [number]
        else:
            ranges.append([number])
    return ", ".join("-".join(map(str, one)) for one in ranges)
