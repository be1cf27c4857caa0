"""``g9603 topics``."""

import asyncio
from collections.abc import Collection
from typing import Annotated

import typer
from rich.table import Table

from streams.cli.acls_document import acls_document
from streams.cli.console import ExitCode, fail, out, print_json, refusals, settings_of_environment
from streams.kafka.connection import connection_options
from streams.kafka.granted_rights import ensure_rights
from streams.kafka.provisioning import TopicState, create_missing, create_missing_topics, inspect_topics, topic_faults
from streams.kafka.topic_admin import topic_admin
from streams.processing.access import Operation, Role, rights_of
from streams.processing.adapter_topics import AdapterTopics, MessageStandard
from streams.processing.topology import Topology
from streams.settings import Settings


def topics(
    partitions: Annotated[int, typer.Option(min=1, max=10_000, help="Partitions of topics that are created.")] = 4,
    replication: Annotated[int, typer.Option(min=1, max=10, help="Replicas of topics that are created.")] = 3,
    adapter: Annotated[
        list[MessageStandard] | None, typer.Option(help="Also those of this adapter. May be repeated.")
    ] = None,
    acls: Annotated[bool, typer.Option("--acls", help="Print who needs which rights, and stop.")] = False,  # noqa: FBT002
    as_json: Annotated[bool, typer.Option("--json", help="For scripts.")] = False,  # noqa: FBT002 - a flag
) -> None:
    """Create the topics that are missing, and check those that exist.

    The internal topics get at least as many partitions as the widest input. Ends with 78 where a topic is not
    as the worker needs it. No worker needs an adapter's topics: they are made where they are asked for.
    """
    settings = settings_of_environment()
    topology = Topology(settings.app_id, settings.topic_prefix)
    if acls:
        _print_acls(topology, as_json=as_json)
        return
    with refusals():
        created, states = asyncio.run(_provision(settings, topology, adapter or (), partitions, replication))
    faults = topic_faults(states, topology)
    if as_json:
        print_json({"created": created, "topics": [_row(state) for state in states], "faults": faults})
    else:
        out.print(_table(states, created))
    if faults:
        fail("\n".join(faults), ExitCode.MISCONFIGURED)


async def _provision(
    settings: Settings, topology: Topology, adapters: Collection[MessageStandard], partitions: int, replication: int
) -> tuple[list[str], list[TopicState]]:
    connection = connection_options(settings)
    # Not the right to create: it may come from the cluster, and is not needed where everything is there.
    needed = [r for r in rights_of(Role.OPERATOR, topology) if r.operation is not Operation.CREATE]
    await ensure_rights(connection, needed)
    async with topic_admin(connection) as admin:
        created = await create_missing_topics(admin, topology, partition_count=partitions, replication=replication)
        for standard in adapters:
            specifications = AdapterTopics(standard, topology).specifications
            created += await create_missing(admin, specifications, partition_count=partitions, replication=replication)
        return created, await inspect_topics(admin, topology)


def _print_acls(topology: Topology, *, as_json: bool) -> None:
    if as_json:
        print_json({role.value: [right._asdict() for right in rights_of(role, topology)] for role in Role})
    else:
        out.file.write(acls_document(topology))


def _row(state: TopicState) -> dict[str, object]:
    found = state.found
    return {
        "name": state.specification.name,
        "purpose": state.specification.purpose,
        "partitions": found.partition_count if found is not None else None,
        "replication": found.replication if found is not None else None,
        "cleanup_policy": (state.config or {}).get("cleanup.policy"),
    }


def _table(states: list[TopicState], created: list[str]) -> Table:
    table = Table(box=None, header_style="bold")
    table.add_column("topic", no_wrap=True)
    for heading in ("purpose", "partitions", "replicas", "cleanup", ""):
        table.add_column(heading)
    for state in states:
        row = _row(state)
        name = state.specification.name
        cells = [
            row["name"],
            row["purpose"],
            row["partitions"],
            row["replication"],
            row["cleanup_policy"] or "?",
        ]
        table.add_row(*(str(cell) for cell in cells), "[green]created[/]" if name in created else "there")
    return table
