"""``g9603 adapter``: what other systems say in FHIR and HL7 v2, onto the input topics."""

import asyncio
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import Progress, TextColumn, TimeElapsedColumn

from streams.adapters.adaptation import Adaptation, Adapter
from streams.adapters.choice import adapter_of
from streams.adapters.mapping import MappingRefusedError
from streams.adapters.running import MessageProcessor, Processed, Tally
from streams.cli.console import ExitCode, err, fail, out, print_json, refusals, settings_of_environment
from streams.cli.stopping import stop_at_signals
from streams.instruments.registry import load_registry
from streams.kafka.connection import connection_options
from streams.kafka.granted_rights import ensure_rights
from streams.kafka.provisioning import TopicsMissingError
from streams.kafka.read_process_write import Membership, ReadProcessWrite, RecordsGoneError, StepInDoubtError
from streams.kafka.sealing import sealing
from streams.kafka.topic_admin import topic_admin
from streams.processing.access import Role, rights_of
from streams.processing.adapter_topics import AdapterTopics, MessageStandard
from streams.processing.topology import Topology
from streams.settings import Settings
from streams.worker.slot import WorkerSlot

adapter = typer.Typer(
    help="FHIR R4 and HL7 v2 messages onto the input topics, exactly once; what cannot be understood is kept apart.",
    no_args_is_help=True,
)

MappingFile = Annotated[
    Path | None, typer.Option("--mapping", help="TOML: what the site's codes, identifiers and places mean.")
]
Once = Annotated[bool, typer.Option("--once", help="Stop where the topic ends now: as a job of a scheduler.")]
AsJson = Annotated[bool, typer.Option("--json", help="For scripts.")]

_FAULTS_SHOWN_MAX = 20
_ROLES = {MessageStandard.FHIR: Role.FHIR_ADAPTER, MessageStandard.HL7V2: Role.HL7V2_ADAPTER}


@adapter.command()
def fhir(
    mapping: MappingFile = None,
    once: Once = False,  # noqa: FBT002 - a flag
    as_json: AsJson = False,  # noqa: FBT002 - a flag
) -> None:
    """Make events of the FHIR R4 resources and Bundles on `fhir-resources`, until SIGTERM.

    Start as many as you like, up to one per partition. A message of which something is ours and cannot be an event
    goes to `fhir-resources-dead-letter`, with the reason; the rest of it is taken in. Ends with 70 where going on is
    not safe (start it again), with 78 where topics, records or the mapping are not as they must be.
    """
    _run(MessageStandard.FHIR, mapping, once=once, as_json=as_json)


@adapter.command()
def hl7v2(
    mapping: MappingFile = None,
    once: Once = False,  # noqa: FBT002 - a flag
    as_json: AsJson = False,  # noqa: FBT002 - a flag
) -> None:
    """Make events of the HL7 v2 messages (ORU^R01, DFT^P03) on `hl7v2-messages`, until SIGTERM.

    No acknowledgement is sent: a topic is no connection. For the rest as `g9603 adapter fhir`.
    """
    _run(MessageStandard.HL7V2, mapping, once=once, as_json=as_json)


@adapter.command("map")
def map_files(
    standard: Annotated[MessageStandard, typer.Argument(help="In whose words the files are.")],
    files: Annotated[list[str], typer.Argument(help="Files of one message each; - for standard input.")],
    mapping: MappingFile = None,
) -> None:
    """Print the events that files would come to, as NDJSON; no broker is asked.

    What would be a dead letter is told on standard error, with the file and the reason. What is printed can be sent:
    `g9603 adapter map fhir patient.json | g9603 send -`. Ends with 65 where there was a fault.
    """
    faults = 0
    understood = _adapter(standard, mapping)
    passed_over: Counter[str] = Counter()
    for name, value in _messages(files):
        adaptation = understood.adapt(value)
        for event in adaptation.events:
            out.file.write(f"{event.value.decode()}\n")
        passed_over += adaptation.passed_over
        _show_faults(name, adaptation, shown=faults)
        faults += len(adaptation.faults)
    if passed_over:
        told = ", ".join(f"{count:,} {why}" for why, count in sorted(passed_over.items()))
        err.print(f"no event of ours: {told}", highlight=False)
    if faults:
        fail(f"{faults} parts of messages cannot be events: mend the messages, or the mapping.", ExitCode.BAD_INPUT)


def _show_faults(name: str, adaptation: Adaptation, *, shown: int) -> None:
    for fault in adaptation.faults[: max(_FAULTS_SHOWN_MAX - shown, 0)]:
        err.print(f"{name}: {fault.reason}: {fault.detail}", highlight=False, soft_wrap=True, markup=False)


def _messages(files: list[str]) -> Iterator[tuple[str, bytes]]:
    for name in files:
        try:
            yield name, sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()
        except OSError as error:
            fail(f"{name} cannot be read ({error.strerror}): name files, or - for standard input.", ExitCode.BAD_INPUT)


def _adapter(standard: MessageStandard, mapping: Path | None) -> Adapter:
    try:
        return adapter_of(standard, mapping, load_registry())
    except MappingRefusedError as error:
        fail(str(error), ExitCode.MISCONFIGURED)


# ---------------------------------------------------------------------------------------------
# On the brokers
# ---------------------------------------------------------------------------------------------
def _run(standard: MessageStandard, mapping: Path | None, *, once: bool, as_json: bool) -> None:
    settings = settings_of_environment()
    topics = AdapterTopics(standard, Topology(settings.app_id, settings.topic_prefix))
    understood = _adapter(standard, mapping)
    try:
        with refusals(), WorkerSlot(settings.data_dir, topics.group_id) as slot:
            tally = asyncio.run(_follow(settings, topics, understood, slot.name, once=once))
    except StepInDoubtError as error:
        fail(str(error), ExitCode.DOUBT)
    except RecordsGoneError as error:
        fail(str(error), ExitCode.MISCONFIGURED)
    _tell(tally, as_json=as_json)


async def _follow(settings: Settings, topics: AdapterTopics, understood: Adapter, name: str, *, once: bool) -> Tally:
    connection = connection_options(settings)
    await ensure_rights(connection, rights_of(_ROLES[topics.standard], topics.topology))
    counts = await _partition_counts(connection, topics)
    stop = stop_at_signals()
    processor = MessageProcessor(understood, topics, counts, sealing(settings, topics.topology))
    membership = Membership(topics.messages, topics.group_id, name)
    tally = Tally()
    columns = (TextColumn("messages"), TextColumn("{task.completed:,}"), TimeElapsedColumn())
    with Progress(*columns, console=err, transient=True) as progress:
        task = progress.add_task("", total=None)

        def count(done: Processed) -> None:
            tally.add(done.tally)
            progress.advance(task, done.tally.messages)

        await ReadProcessWrite(connection, membership, processor.process, count).run(once=once, stop=stop)
    return tally


async def _partition_counts(connection: dict[str, object], topics: AdapterTopics) -> dict[str, int]:
    names = [topics.messages, topics.dead_letter, *topics.topology.kinds]
    async with topic_admin(connection) as admin:
        found = await admin.describe(names)
    missing = [name for name in names if name not in found]
    if missing:
        message = (
            f"{', '.join(missing)}: no such topic. Create what is missing with "
            f"`g9603 topics --adapter {topics.standard}`."
        )
        raise TopicsMissingError(message)
    return {name: description.partition_count for name, description in found.items()}


def _tell(tally: Tally, *, as_json: bool) -> None:
    if as_json:
        print_json(
            {
                "messages": tally.messages,
                "events": dict(sorted(tally.events.items())),
                "dead_letters": dict(sorted(tally.dead_letters.items())),
                "passed_over": dict(sorted(tally.passed_over.items())),
            }
        )
        return
    out.print(
        f"{tally.messages:,} messages: {tally.events['survey-completed']:,} surveys, "
        f"{tally.events['treatment-recorded']:,} treatments, {tally.dead_letters.total():,} dead letters",
        highlight=False,
    )
