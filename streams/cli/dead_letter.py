"""``g9603 dead-letter``: what could not be taken in, and sending it again after a fix."""

import asyncio
from collections import Counter
from collections.abc import Collection
from datetime import datetime
from typing import Annotated, Any

import typer
from aiokafka.errors import KafkaError
from rich.progress import Progress, TextColumn

from streams.cli.console import ExitCode, err, fail, out, print_json, refusals, settings_of_environment
from streams.cli.dead_letter_view import letter_json, letter_view, listing_json, listing_view, received_json
from streams.cli.times import TIME_FORMS, kafka_timestamp_ms
from streams.dead_letters.letters import Letter, LetterId, Selection, read_letter, read_letters, replayed_letters
from streams.dead_letters.replaying import ReplayInDoubtError, create_replays_topic, replayer
from streams.dead_letters.tally import Tally
from streams.intake.rejection import RejectionReason
from streams.kafka.connection import connection_options
from streams.kafka.granted_rights import ensure_rights
from streams.kafka.provisioning import ensure_topics
from streams.kafka.sealing import sealing
from streams.processing.access import Operation, Role, rights_of
from streams.processing.sealed_dead_letter import OpenedDeadLetter
from streams.processing.topology import Topology
from streams.settings import Settings

dead_letter = typer.Typer(
    help="What could not be taken in: list it, look at it, send it again after a fix.", no_args_is_help=True
)

Reasons = Annotated[
    list[RejectionReason] | None, typer.Option("--reason", help="Only with this reason. May be repeated.")
]
Since = Annotated[
    datetime | None, typer.Option(formats=TIME_FORMS, help="Only from this time on (date in UTC, or RFC 3339).")
]
Until = Annotated[datetime | None, typer.Option(formats=TIME_FORMS, help="Only before this time.")]
ShowValue = Annotated[bool, typer.Option("--show-value", help="Also the key, the value and the headers: patient data.")]
AsJson = Annotated[bool, typer.Option("--json", help="For scripts.")]


@dead_letter.command("list")
def list_letters(  # noqa: PLR0913, PLR0917 - options are what a command has
    reason: Reasons = None,
    since: Since = None,
    until: Until = None,
    replayed: Annotated[bool, typer.Option("--replayed", help="Also name those that were sent again.")] = False,  # noqa: FBT002
    limit: Annotated[int, typer.Option(min=0, help="Name so many; all are counted.")] = 100,
    as_json: AsJson = False,  # noqa: FBT002 - a flag
) -> None:
    """Count dead letters by reason, and name those that are still dead: neither sent again nor otherwise settled.

    Shows no patient data. The id of a letter is its partition and offset in the dead-letter topic.
    """
    settings = settings_of_environment()
    selection = _selection(None, reason, since, until)
    with refusals():
        tally, named = asyncio.run(_list(settings, selection, limit, with_replayed=replayed))
    if as_json:
        print_json(listing_json(tally, named))
    else:
        out.print(listing_view(tally, named))


@dead_letter.command()
def show(
    letter: Annotated[str, typer.Argument(help="The id of a letter, as 0@123.")],
    show_value: ShowValue = False,  # noqa: FBT002 - a flag
    as_json: AsJson = False,  # noqa: FBT002 - a flag
) -> None:
    """Show one dead letter: where it was read, what is wrong with it, whether it was sent again.

    What was received is patient data, and shown only when asked for. Ends with 1 where there is no such letter.
    """
    settings = settings_of_environment()
    with refusals():
        found = asyncio.run(_show(settings, _id(letter), opened=show_value))
    if found is None:
        fail(f"{letter} is no dead letter: `g9603 dead-letter list` names them.", ExitCode.FAILED)
    shown, received = found
    if as_json:
        print_json(letter_json(shown) | (received_json(received) if received is not None else {}))
    else:
        out.print(letter_view(shown, received))


@dead_letter.command()
def replay(  # noqa: PLR0913, PLR0917 - options are what a command has
    letters: Annotated[list[str] | None, typer.Argument(help="Ids of letters, as 0@123.")] = None,
    reason: Reasons = None,
    since: Since = None,
    until: Until = None,
    every: Annotated[bool, typer.Option("--all", help="All that are still dead.")] = False,  # noqa: FBT002 - a flag
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only count what would be sent.")] = False,  # noqa: FBT002
    as_json: AsJson = False,  # noqa: FBT002 - a flag
) -> None:
    """Send dead letters back to the input that they came from, each at most once, after what was wrong is mended.

    A letter goes as it was received, to the partition where it was first read, with the header
    `g9603-replayed-from`. What is rejected again is a new dead letter. Safe to interrupt and to repeat. Ends with
    1 where something that was asked for stays dead, and with 70 where the brokers left it in doubt: run it again.
    """
    if every == bool(letters or reason or since or until):
        fail("Say which: ids, --reason, --since or --until; or --all.", ExitCode.USAGE)
    settings = settings_of_environment()
    selection = _selection(letters, reason, since, until)
    try:
        with refusals():
            sent, left = asyncio.run(_replay(settings, selection, dry_run=dry_run))
    except ReplayInDoubtError as error:
        fail(str(error), ExitCode.DOUBT)
    told = {"replayed": sent.total(), "by_reason": dict(sorted(sent.items())), "dry_run": dry_run}
    if as_json:
        print_json(told | {"still_dead": left.dead.total(), "still_dead_by_reason": dict(sorted(left.dead.items()))})
    else:
        reasons = ", ".join(f"{count:,} {name}" for name, count in sorted(sent.items()))
        verb = "would be sent again" if dry_run else "sent again"
        out.print(f"{sent.total():,} {verb}{f': {reasons}' if reasons else ''}", highlight=False)
        still = ", ".join(f"{count:,} {name}" for name, count in sorted(left.dead.items()))
        out.print(f"{left.dead.total():,} still dead{f': {still}' if still else ''}", highlight=False)
    _judge(selection, sent)


def _judge(selection: Selection, sent: Counter[str]) -> None:
    if selection.ids is not None and sent.total() < len(selection.ids):
        fail(
            f"Of {len(selection.ids)} letters {len(selection.ids) - sent.total()} were not sent again now: they were "
            "before, or are none, or no worker wrote them. `g9603 dead-letter show` says which.",
            ExitCode.FAILED,
        )


def _selection(
    ids: Collection[str] | None,
    reasons: Collection[RejectionReason] | None,
    since: datetime | None,
    until: datetime | None,
) -> Selection:
    return Selection(
        frozenset(map(_id, ids)) if ids else None,
        frozenset(map(str, reasons)) if reasons else None,
        kafka_timestamp_ms(since),
        kafka_timestamp_ms(until),
    )


def _id(text: str) -> LetterId:
    try:
        return LetterId.parsed(text)
    except ValueError as error:
        fail(str(error), ExitCode.USAGE)


# ---------------------------------------------------------------------------------------------
# On the brokers
# ---------------------------------------------------------------------------------------------
async def _entered(settings: Settings, role: Role) -> tuple[dict[str, Any], Topology]:
    """Options of a client that may do what *role* does, and the topics; they are there."""
    connection, topology = connection_options(settings), Topology(settings.app_id, settings.topic_prefix)
    # Not the right to create: it may come from the cluster, and is not needed where everything is there.
    await ensure_rights(connection, [r for r in rights_of(role, topology) if r.operation is not Operation.CREATE])
    await ensure_topics(connection, [topology.dead_letter, *topology.kinds])
    return connection, topology


async def _list(
    settings: Settings, selection: Selection, limit: int, *, with_replayed: bool
) -> tuple[Tally, list[Letter]]:
    connection, topology = await _entered(settings, Role.AUDITOR)
    tally = Tally()
    named: list[Letter] = []
    replayed = await replayed_letters(connection, topology)
    with err.status("reading the dead letters") as status:
        async for letter in read_letters(connection, topology, replayed):
            if selection.means(letter):
                tally.take(letter)
                if len(named) < limit and (with_replayed or not letter.was_replayed):
                    named.append(letter)
                status.update(f"reading the dead letters: {tally.count:,}")
    return tally, named


async def _show(
    settings: Settings, letter_id: LetterId, *, opened: bool
) -> tuple[Letter, OpenedDeadLetter | None] | None:
    connection, topology = await _entered(settings, Role.AUDITOR)
    replayed = await replayed_letters(connection, topology)
    letter = await read_letter(connection, topology, letter_id, replayed)
    if letter is None:
        return None
    return letter, sealing(settings, topology).opened_letter(letter.record) if opened else None


async def _replay(settings: Settings, selection: Selection, *, dry_run: bool) -> tuple[Counter[str], Tally]:
    connection, topology = await _entered(settings, Role.REPLAYER)
    sent: Counter[str] = Counter()
    if not dry_run:
        await create_replays_topic(connection, topology)
        columns = (TextColumn("sending again"), TextColumn("{task.completed:,}"))
        with Progress(*columns, console=err, transient=True) as progress:
            task = progress.add_task("", total=None)
            try:
                async with replayer(connection, topology, sealing(settings, topology)) as sender:
                    async for letters in sender.replay(selection):
                        sent.update(letter.source.reason for letter in letters)
                        progress.advance(task, len(letters))
            except KafkaError as error:
                message = f"The brokers do not take it ({type(error).__name__}): nothing was sent that is not counted."
                raise ReplayInDoubtError(message) from error
    left = Tally()
    replayed = await replayed_letters(connection, topology)
    async for letter in read_letters(connection, topology, replayed):
        if dry_run and selection.means(letter) and letter.can_be_replayed:
            sent[letter.source.reason] += 1
        left.take(letter)
    return sent, left
