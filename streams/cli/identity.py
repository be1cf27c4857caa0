"""``g9603 identity``: merges of patients that a person must look at."""

import asyncio
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

import typer
from rich.table import Table

from streams.cli.console import ExitCode, err, fail, out, print_json, refusals, settings_of_environment
from streams.cli.plain_text import plain
from streams.cli.study_progress import study_progress
from streams.cli.times import TIME_FORMS, kafka_timestamp_ms
from streams.domain.patient_merge import PatientMerge
from streams.identity.worklist import WorkItem, episodes_of, patients_of_concern, read_merges, worklist
from streams.kafka.connection import connection_options
from streams.kafka.granted_rights import ensure_rights
from streams.kafka.provisioning import ensure_topics
from streams.processing.access import Role, rights_of
from streams.processing.topology import Topology
from streams.replay.changelog_study import changelog_ranges
from streams.replay.replaying import Ranges
from streams.settings import Settings

_EPISODES_SHOWN_MAX = 5

identity = typer.Typer(help="Merges of patient ids.", no_args_is_help=True)


@identity.callback()
def _identity() -> None:
    """Merges of patient ids."""


@identity.command("worklist")
def list_work(
    since: Annotated[
        datetime | None,
        typer.Option(formats=TIME_FORMS, help="Only what happened since (date in UTC, or RFC 3339)."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="For scripts.")] = False,  # noqa: FBT002 - a flag
) -> None:
    """List the merges that no rule can settle, what to do about each, and the episodes that it touches.

    An unmerge, a merge of a patient who was merged into somebody else before, a cycle: they change no code until a
    person has seen to it. Shows ids of patients and episodes. Ends with 0 where there is nothing to do, else with 1.
    """
    settings = settings_of_environment()
    with refusals():
        merges, ranges = asyncio.run(_read(settings))
        patients = patients_of_concern(merges)
        with study_progress("looking for episodes") as on_progress:
            episodes = episodes_of(settings, ranges, patients, on_progress=on_progress) if patients else {}
    since_us = (kafka_timestamp_ms(since) or 0) * 1_000
    items = [item for item in worklist(merges, episodes) if item.merge.merged_at.epoch_us >= since_us]
    if as_json:
        print_json([item.as_json() for item in items])
    elif items:
        out.print(_table(items))
    else:
        err.print("There is nothing to do.")
    if items:
        fail(f"{len(items)} to look at.", ExitCode.FAILED)


async def _read(settings: Settings) -> tuple[list[PatientMerge], Ranges]:
    connection, topology = connection_options(settings), Topology(settings.app_id, settings.topic_prefix)
    with err.status("looking at what there is"):
        await ensure_rights(connection, rights_of(Role.REGISTRAR, topology))
        await ensure_topics(connection, [topology.patient_merged, topology.episodes_changelog])
        return await read_merges(connection, topology), await changelog_ranges(connection, topology)


def _table(items: Sequence[WorkItem]) -> Table:
    table = Table(box=None, header_style="bold", pad_edge=False)
    for heading in ("when", "what", "merged", "into", "to do", "episodes"):
        table.add_column(heading, overflow="fold")
    for item in items:
        merge, more = item.merge, len(item.episodes) - _EPISODES_SHOWN_MAX
        shown = "\n".join([*item.episodes[:_EPISODES_SHOWN_MAX], *([f"{more} more: --json"] if more > 0 else [])])
        told = (item.concern.replace("_", " "), merge.merged_patient_id, merge.surviving_patient_id, item.to_do, shown)
        table.add_row(f"{merge.merged_at.local:%Y-%m-%d %H:%M %z}", *map(plain, told))
    return table
