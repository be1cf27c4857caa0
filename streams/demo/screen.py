"""The demonstration as it is watched: what was sent, who works, which codes come."""

from collections.abc import Iterator
from typing import Any

from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from streams.demo.progress import DemoProgress

_ACTION_STYLES = {"new": "green", "replace": "yellow", "void": "red"}
_BAR_WIDTH = 30
_COLUMNS = {"action": 7, "episode": 12, "instrument": 10, "score": 13, "channel": 8, "payer": None}
"""Headings and their widths, for a terminal of 80; the last takes what is left."""


def screen(progress: DemoProgress) -> RenderableType:
    """The screen for *progress* as it is now."""
    return Group(
        _flow(progress),
        Panel(_latest(progress), title="G9603, as a billing consumer sees it", title_align="left"),
        *(Text(f"! {note}", style="bold yellow") for note in progress.notes),
    )


def _flow(progress: DemoProgress) -> Table:
    table = Table.grid(padding=(0, 2))
    table.add_row("sent", _bar(progress.sent_count, progress.total), f"{progress.sent_count} of {progress.total}")
    left = "" if progress.unread is None else f"{progress.unread} records to go"
    table.add_row("workers", Text.assemble(*_workers(progress)), left)
    table.add_row("codes", Text(_counts(progress.actions)), f"{progress.actions.total()} events")
    if progress.recounted:
        table.add_row("recount", Text("reading everything from the start"), f"{progress.recounted} records")
    return table


def _bar(completed: int, total: int) -> ProgressBar:
    return ProgressBar(total=max(total, 1), completed=completed, width=_BAR_WIDTH)


def _workers(progress: DemoProgress) -> Iterator[Text]:
    for worker in progress.workers:
        if worker.killed:
            yield Text(f"{worker.name} killed  ", style="red")
        else:
            yield Text(f"{worker.name} {'running' if worker.running else 'stopped'}  ", style="green")


def _counts(counts: Any) -> str:  # noqa: ANN401 - a Counter of whatever
    return "  ".join(f"{name} {count}" for name, count in sorted(counts.items())) or "none yet"


def _latest(progress: DemoProgress) -> Table:
    table = Table(box=None, header_style="dim", padding=(0, 1, 0, 0), expand=True)
    for heading, width in _COLUMNS.items():
        table.add_column(heading, no_wrap=True, overflow="ellipsis", width=width)
    for event in progress.latest:
        style = _ACTION_STYLES[event["action"]]
        table.add_row(
            Text(event["action"], style=style),
            event["episode_id"],
            event["instrument"]["id"],
            f"{event['baseline']['score']} \N{RIGHTWARDS ARROW} {event['followup']['score']}",
            event["channel"],
            event["payer_id"] or "-",
        )
    return table
