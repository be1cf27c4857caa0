"""``g9603 billing``: coding events in a database of billing's own."""

import asyncio
from typing import TYPE_CHECKING, Annotated

import typer
from rich.progress import Progress, TextColumn, TimeElapsedColumn

from streams.cli.billing_database import billing_database
from streams.cli.billing_export import export, held
from streams.cli.console import err, out, print_json, refusals, settings_of_environment
from streams.cli.stopping import stop_at_signals
from streams.kafka.connection import connection_options
from streams.kafka.granted_rights import ensure_rights
from streams.kafka.provisioning import ensure_topics
from streams.processing.access import Operation, ResourceType, Right
from streams.processing.topology import Topology
from streams.settings import Settings

if TYPE_CHECKING:
    from sqlalchemy import Engine

billing = typer.Typer(
    help="Coding events in a database of billing's own, SQLite or PostgreSQL, exactly once.", no_args_is_help=True
)

Once = Annotated[bool, typer.Option("--once", help="Stop where the topic ends now: as a job of a scheduler.")]
AsJson = Annotated[bool, typer.Option("--json", help="For scripts.")]

billing.command()(export)
billing.command()(held)


@billing.command()
def sink(
    once: Once = False,  # noqa: FBT002 - a flag
    as_json: AsJson = False,  # noqa: FBT002 - a flag
) -> None:
    """Bring the database up to the billing topic, and keep it there until SIGTERM.

    Events and the position in the topic are one transaction: kill it whenever you like. One sink a database; ends with
    70 where another one writes to it or the database went away (start it again), with 78 where events are missing.
    """
    settings = settings_of_environment()
    with refusals(), billing_database(settings) as database:
        written = asyncio.run(_sink(settings, database, once=once))
    if as_json:
        print_json({"written": written})
    else:
        out.print(f"wrote {written:,} coding events", highlight=False)


async def _sink(settings: Settings, database: "Engine", *, once: bool) -> int:
    from streams.billing.book import BillingBook  # noqa: PLC0415 - only where SQLAlchemy is installed
    from streams.billing.sink import follow  # noqa: PLC0415

    connection = connection_options(settings)
    topic = Topology(settings.app_id, settings.topic_prefix).coding_events
    await ensure_rights(connection, [Right(ResourceType.TOPIC, topic, Operation.READ)])
    await ensure_topics(connection, [topic])
    stop = stop_at_signals()
    columns = (TextColumn("coding events"), TextColumn("{task.completed:,}"), TimeElapsedColumn())
    with Progress(*columns, console=err, transient=True) as progress:
        task = progress.add_task("", total=None)
        book = BillingBook(database, topic)
        await follow(
            connection, topic, book, once=once, stop=stop, on_written=lambda count: progress.advance(task, count)
        )
        return int(progress.tasks[task].completed)
