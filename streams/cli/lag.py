"""``g9603 lag``: how far the workers are behind, and when they will have caught up."""

import asyncio
from collections.abc import AsyncIterator
from typing import Annotated

import msgspec
import typer
from rich.live import Live

from streams.cli.console import ExitCode, err, out, print_json, refusals, settings_of_environment
from streams.cli.lag_view import lag_view
from streams.kafka.clock import now_ms
from streams.kafka.connection import connection_options
from streams.kafka.granted_rights import ensure_rights
from streams.kafka.group_lag import group_lag
from streams.kafka.report_topic import report_topic
from streams.monitoring.group_monitor import GroupMonitor
from streams.monitoring.group_view import GroupView
from streams.processing.access import Role, rights_of
from streams.processing.topology import Topology
from streams.settings import Settings


def lag(
    watch: Annotated[bool, typer.Option("--watch", "-w", help="Go on, until Ctrl-C.")] = False,  # noqa: FBT002 - a flag
    every: Annotated[float, typer.Option(min=0.5, max=600, help="Seconds between two looks.")] = 2.0,
    max_seconds: Annotated[
        float | None, typer.Option(min=0, help="End with 1 where a record has waited for longer.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="For scripts; with --watch a line a look.")] = False,  # noqa: FBT002
) -> None:
    """Tell how far the workers are behind: in records, in time, by whom, and until when.

    The brokers are asked, not the workers: it tells the truth also of workers that are stuck or gone. Ends with 0,
    with 1 where --max-seconds is exceeded (with --watch: at the last look), with 69 where no broker answers.
    """
    settings = settings_of_environment()
    with refusals():
        last = asyncio.run(_tell(settings, every, watch=watch, as_json=as_json))
    if max_seconds is not None and last is not None and last.lag_seconds > max_seconds:
        raise typer.Exit(ExitCode.FAILED)


async def _tell(settings: Settings, every: float, *, watch: bool, as_json: bool) -> GroupView | None:
    """Show the group; the last view of it."""
    view = None
    try:
        if watch and not as_json:
            with Live(console=out, auto_refresh=False) as live:
                async for view in _views(settings, every, watch=watch):
                    live.update(lag_view(view), refresh=True)
            return view
        async for view in _views(settings, every, watch=watch):
            if not as_json:
                out.print(lag_view(view))
            elif watch:
                out.file.write(f"{msgspec.json.encode(view).decode()}\n")
                out.file.flush()
            else:
                print_json(msgspec.to_builtins(view))
    except asyncio.CancelledError:  # Ctrl-C is how a watch ends
        if not watch:
            raise
    return view


async def _views(settings: Settings, every: float, *, watch: bool) -> AsyncIterator[GroupView]:
    connection = connection_options(settings)
    topology = Topology(settings.app_id, settings.topic_prefix)
    monitor = GroupMonitor(settings.app_id, lag_seconds_high=settings.lag_seconds_high)
    with err.status("asking the brokers") as status:
        await ensure_rights(connection, rights_of(Role.OBSERVER, topology))
        async with (
            group_lag(connection, topology.app_id, topology.sources) as group,
            report_topic(connection, topology.worker_reports, now_ms=now_ms(), tells=False) as reports,
        ):
            while True:
                monitor.take_reading(await group.read(now_ms()))
                for report in await reports.heard():
                    monitor.take_report(report)
                status.stop()
                yield monitor.view(now_ms())
                if not watch:
                    return
                await asyncio.sleep(every)
