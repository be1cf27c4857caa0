"""``g9603 reconcile``: is everything as the input alone says that it should be?"""

import asyncio
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from streams.cli.console import ExitCode, err, fail, out, print_json, refusals, settings_of_environment
from streams.cli.study_progress import study_progress
from streams.cli.times import TIME_FORMS, kafka_timestamp_ms
from streams.instruments.registry import load_registry
from streams.intake.decoder import Decoder
from streams.kafka.connection import connection_options
from streams.kafka.granted_rights import ensure_rights
from streams.kafka.provisioning import ensure_topics
from streams.policies.policy_loading import load_policy
from streams.processing.access import Role, rights_of
from streams.processing.topology import Topology
from streams.recount.comparison import Names, Recount
from streams.recount.extent import Extent, extent_of
from streams.recount.recount import recount_in_processes
from streams.replay.input_decoders import input_decoders
from streams.settings import Settings

_NAMED_MAX = 10


def reconcile(
    since: Annotated[
        datetime | None,
        typer.Option(
            formats=TIME_FORMS,
            help="Recount only episodes with input since (date in UTC, or RFC 3339), with all of their input.",
        ),
    ] = None,
    earlier_policy: Annotated[
        list[Path] | None,
        typer.Option(help="A policy that the workers decided by before: what it decides may stand. May be repeated."),
    ] = None,
    processes: Annotated[
        int | None, typer.Option(min=1, max=256, help="How many to work in; by default one per processor.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="For scripts.")] = False,  # noqa: FBT002 - a flag
) -> None:
    """Recount everything from the input alone, and compare with what billing was told.

    Computes every decision anew, without any state of the workers, by the policy of this environment; compares
    with the codes that `coding-events` leaves standing, and the rejected records with the dead letters. What the
    workers have not read yet is waiting, not missing. Ends with 0 where everything agrees, and with 1 where it does
    not: as a job of a scheduler it is a self-check.
    """
    settings = settings_of_environment()
    earlier = tuple(earlier_policy or ())
    with refusals():
        for policy in (settings.policy, *earlier):
            load_policy(policy, load_registry())
        topology = Topology(settings.app_id, settings.topic_prefix)
        with err.status("looking at what there is"):
            extent = asyncio.run(_extent(settings, topology, since))
        with study_progress("deciding") as on_progress:
            counted = recount_in_processes(settings, extent, earlier, processes=processes, on_progress=on_progress)
    gone = extent.begun_late(topology.kinds)
    if as_json:
        print_json(_as_json(counted, gone))
    else:
        _print(counted)
    if gone:
        err.print(
            f"[yellow]The first records of {escape(', '.join(gone))} are gone: of episodes that had some there, the "
            "recount knows less than the workers did.[/]",
            highlight=False,
        )
    if not counted.agrees:
        fail("Billing does not hold what the input amounts to.", ExitCode.FAILED)


async def _extent(settings: Settings, topology: Topology, since: datetime | None) -> Extent:
    connection = connection_options(settings)
    await ensure_rights(connection, rights_of(Role.AUDITOR, topology))
    await ensure_topics(connection, [*topology.sources, topology.coding_events, topology.dead_letter])
    return await extent_of(
        connection,
        topology,
        group_id=settings.app_id,
        since_ms=kafka_timestamp_ms(since),
        decoders=input_decoders(Decoder(load_registry()), topology),
    )


def _as_json(counted: Recount, gone: list[str]) -> dict[str, object]:
    return {
        "agrees": counted.agrees,
        "records": counted.record_count,
        "episodes": counted.episode_count,
        "codes_expected": counted.code_count,
        "codes_held": counted.held_count,
        "coding_events": dict(sorted(counted.actions.items())),
        "missing": _named(counted.missing),
        "extra": _named(counted.extra),
        "different": {**_named(counted.different), "fields": dict(counted.different_fields)},
        "by_earlier_policy": counted.by_earlier_policy,
        "waiting": {"records": counted.waiting_records, **_named(counted.waiting)},
        "event_faults": _named(counted.event_faults),
        "dead_letters": dict(sorted(counted.dead_letters.items())),
        "dead_letter_faults": _named(counted.dead_letter_faults),
        "inputs_without_their_begin": gone,
    }


def _named(names: Names) -> dict[str, object]:
    return {"count": len(names), "first": list(names)}


def _print(counted: Recount) -> None:
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(justify="right")
    table.add_column(overflow="fold")
    actions = ", ".join(f"{count:,} {action}" for action, count in sorted(counted.actions.items()))
    reasons = ", ".join(f"{count:,} {reason}" for reason, count in sorted(counted.dead_letters.items()))
    fields = ", ".join(f"{name} ({count:,})" for name, count in counted.different_fields.most_common())
    rows = [
        (counted.record_count, f"records of {counted.episode_count:,} episodes"),
        (counted.code_count, "codes that they earn"),
        (counted.held_count, f"codes that billing holds, after {actions or 'no coding events'}"),
        (len(counted.missing), "missing: earned, and billing holds none"),
        (len(counted.extra), "extra: held, and not earned"),
        (len(counted.different), f"different: held with other content{': ' if fields else ''}{fields}"),
        (counted.by_earlier_policy, "held as an earlier policy decides"),
        (counted.waiting_records, f"records waiting, which will change {len(counted.waiting):,} codes"),
        (len(counted.event_faults), "coding events out of order, twice, or not named by what they say"),
        (counted.dead_letters.total(), f"dead letters{': ' if reasons else ''}{reasons}"),
        (len(counted.dead_letter_faults), "dead letters missing, or that should not be"),
    ]
    for count, what in rows:
        table.add_row(f"{count:,}", escape(what))
    out.print(table)
    for kind in ("missing", "extra", "different", "event_faults", "dead_letter_faults"):
        _print_names(kind.replace("_", " "), getattr(counted, kind))
    out.print("[bold green]agrees[/]" if counted.agrees else "[bold red]does not agree[/]")


def _print_names(kind: str, names: Names) -> None:
    for name in list(names)[:_NAMED_MAX]:
        out.print(f"{kind}: {escape(name)}", highlight=False, soft_wrap=True)
    if len(names) > _NAMED_MAX:
        out.print(f"{kind}: {len(names) - _NAMED_MAX:,} more; --json names a thousand", highlight=False)
