"""``g9603 report``: how often scores improved, by how much, and how long it took."""

import asyncio
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Group
from rich.table import Table

from streams.cli.changelog_access import changelog_of
from streams.cli.console import out, print_json, refusals, settings_of_environment, write_document
from streams.cli.plain_text import plain
from streams.cli.study_progress import study_progress
from streams.instruments.registry import load_registry
from streams.outcomes.history import tally_outcomes
from streams.outcomes.outcome import Dimension
from streams.outcomes.report import Row, report_rows
from streams.outcomes.report_page import report_page
from streams.outcomes.report_table import report_csv
from streams.outcomes.statistics import Estimate
from streams.policies.policy_loading import load_policy

_DATE = ["%Y-%m-%d"]
_ROWS_MAX = 15


def report(
    html: Annotated[Path | None, typer.Option(help="Write a page with charts to this file.")] = None,
    csv: Annotated[Path | None, typer.Option(help="Write the numbers to this file.")] = None,
    since: Annotated[datetime | None, typer.Option(formats=_DATE, help="Only follow-ups from this date on.")] = None,
    until: Annotated[datetime | None, typer.Option(formats=_DATE, help="Only follow-ups before this date.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="For scripts.")] = False,  # noqa: FBT002 - a flag
) -> None:
    """Report outcomes by payer, program, instrument, site and month.

    Reads what the workers last committed, and judges it by the policy of this environment. Shows shares and means
    with intervals of 95 %; numbers from 1 to 10, and what would let them be derived, are withheld.
    """
    settings = settings_of_environment()
    with refusals():
        policy = load_policy(settings.policy, load_registry())
        ranges = asyncio.run(changelog_of(settings))
        dates = [at.date() if at is not None else None for at in (since, until)]
        with study_progress("counting") as on_progress:
            tally = tally_outcomes(settings, ranges, *dates, on_progress=on_progress)
    rows = report_rows(tally)
    named = f"{policy.id} {policy.version}"
    scope = _scope(*(date.isoformat() if date is not None else None for date in dates))
    if html is not None:
        write_document(html, report_page(rows, policy=named, scope=scope))
    if csv is not None:
        write_document(csv, report_csv(rows))
    if as_json:
        groups = {dimension.value: [row.as_json() for row in of] for dimension, of in rows.items()}
        print_json({"policy": {"id": policy.id, "version": policy.version}, "scope": scope, "groups": groups})
    elif html is None and csv is None:
        out.print(Group(*(_table(dimension, of) for dimension, of in rows.items() if of)))


def _scope(since: str | None, until: str | None) -> str:
    if since is None and until is None:
        return "all follow-ups that are known"
    return " ".join(("follow-ups", *(["from " + since] if since else []), *(["before " + until] if until else [])))


def _table(dimension: Dimension, rows: Sequence[Row]) -> Table:
    table = Table(box=None, header_style="bold", pad_edge=False, title_justify="left")
    table.add_column(dimension.value, overflow="fold", min_width=20)
    for heading in ("followed up", "improved", "mean improvement", "met published", "median days"):
        table.add_column(heading, justify="right")
    shown = rows[-_ROWS_MAX:] if dimension is Dimension.MONTH else rows[:_ROWS_MAX]
    for row in shown:
        followed = "withheld" if row.followed is None else f"{row.followed:,}"
        days = "-" if row.days_to_follow_up is None else str(row.days_to_follow_up[1])
        share, met = (_share(estimate) for estimate in (row.improved, row.met_published))
        table.add_row(plain(row.value), followed, share, _change(row), met, days)
    if len(rows) > len(shown):
        table.add_row(f"{len(rows) - len(shown)} more: --json", *[""] * 5, style="dim")
    table.add_row("")
    return table


def _share(estimate: Estimate | None) -> str:
    if estimate is None:
        return "-"
    value, low, high = (f"{100 * number:.0f}" for number in estimate)
    return f"{value} % ({low}-{high})"


def _change(row: Row) -> str:
    if row.change is None:
        return "-"
    return (
        f"{row.change.value:.1f} points" if row.change_unit == "points" else f"{100 * row.change.value:.0f} % of range"
    )
