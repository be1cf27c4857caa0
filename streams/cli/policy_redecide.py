"""``g9603 policy redecide``: every episode decided anew, by the policy that the workers run with."""

import asyncio
from typing import Annotated

import typer
from aiokafka import AIOKafkaProducer

from streams.cli.console import ExitCode, fail, out, print_json, refusals, settings_of_environment
from streams.kafka.connection import client_options, connection_options
from streams.kafka.granted_rights import ensure_rights
from streams.kafka.provisioning import ensure_topics
from streams.processing.access import Role, rights_of
from streams.processing.task_time import DECIDE_ANEW
from streams.processing.topology import Topology
from streams.settings import Settings


def redecide(
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask whether that is meant.")] = False,  # noqa: FBT002 - a flag
    as_json: Annotated[bool, typer.Option("--json", help="For scripts.")] = False,  # noqa: FBT002 - a flag
) -> None:
    """Have the workers decide every episode anew, by the policy that they run with now; for after a switch.

    What comes out otherwise than billing was told is published: `g9603 policy diff` says beforehand how much that is.
    Without this, what was decided stands until an episode has a new fact. Returns when it is asked for; the lag of the
    topic of ticks tells when it is done.
    """
    settings = settings_of_environment()
    if not yes and not typer.confirm("Decide every episode anew, and tell billing what changes?", err=True):
        fail("Nothing was asked for.", ExitCode.FAILED)
    with refusals():
        count = asyncio.run(_ask(settings))
    if as_json:
        print_json({"partitions": count})
    else:
        out.print(f"asked the tasks of {count} partitions to decide anew: `g9603 lag` shows when they have")


async def _ask(settings: Settings) -> int:
    topology, connection = Topology(settings.app_id, settings.topic_prefix), connection_options(settings)
    await ensure_rights(connection, rights_of(Role.POLICY_OWNER, topology))
    await ensure_topics(connection, [topology.ticks])
    async with AIOKafkaProducer(**client_options(connection), enable_idempotence=True) as producer:
        partitions = await producer.partitions_for(topology.ticks)
        for partition in sorted(partitions):
            await producer.send_and_wait(topology.ticks, DECIDE_ANEW, partition=partition)
    return len(partitions)
