"""``g9603 demo``."""

import asyncio
import os
import secrets
import tempfile
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import typer
from rich.console import Console
from rich.live import Live

from streams.cli.console import ExitCode, err, fail, out, print_json, refusals, settings_of_environment
from streams.cli.explain import print_explanation
from streams.demo.outcome_report import agrees, outcome_json, outcome_report
from streams.demo.progress import DemoProgress
from streams.demo.screen import screen
from streams.demo.source import DemoSource
from streams.demo.source_choice import health_system_source, synthea_source
from streams.demo.stage import DemoFailedError, Outcome, Stage
from streams.demo.synthea.generator import SyntheaUnavailableError
from streams.demo.topics import demo_topics
from streams.explanation.changelog_lookup import find_episode
from streams.instruments.registry import load_registry
from streams.kafka.connection import connection_options
from streams.kafka.sealing import sealing
from streams.local_kafka.available_broker import NoBrokerError, RunningBroker, available_broker
from streams.local_kafka.broker_process import BrokerStartError
from streams.local_kafka.in_process_broker import CANNOT_SHOW
from streams.local_kafka.maven import MavenUnavailableError
from streams.policies.policy_loading import load_policy
from streams.processing.topology import Topology
from streams.settings import PREFIX, Settings, without_security


class Source(StrEnum):
    """Where the patients come from."""

    HEALTH_SYSTEM = "health-system"
    SYNTHEA = "synthea"


class Audience(NamedTuple):
    """Who watches: a person at a console, or a script that wants JSON in the end."""

    console: Console
    as_json: bool


def demo(
    source: Annotated[
        Source, typer.Option(help="Our own health system, or MITRE's Synthea (fetched with Maven).")
    ] = Source.HEALTH_SYSTEM,
    episodes: Annotated[int, typer.Option(min=1, max=100_000, help="Episodes of care to invent.")] = 2_000,
    seed: Annotated[int, typer.Option(help="Another seed, other patients.")] = 9603,
    as_json: Annotated[bool, typer.Option("--json", help="For scripts.")] = False,  # noqa: FBT002 - a flag
) -> None:
    """Watch codes come out of a real Kafka, with one of two workers killed in the middle.

    Uses the Kafka of G9603_BOOTSTRAP_SERVERS if that is set, under topic names of its own; else starts one. Ends
    with 0 only if an independent recount over everything that was sent agrees to the last event.
    """
    settings = settings_of_environment()
    audience = Audience(err if as_json else out, as_json)
    try:
        chosen = (
            synthea_source(seed, audience.console.print)
            if source is Source.SYNTHEA
            else health_system_source(seed, episodes)
        )
        with (
            refusals(),
            available_broker(os.environ.get(f"{PREFIX}BOOTSTRAP_SERVERS"), audience.console.print) as broker,
            tempfile.TemporaryDirectory(prefix="g9603-demo-", ignore_cleanup_errors=True) as folder,
        ):
            agreed = _perform(settings, chosen, broker, Path(folder), audience)
    except (NoBrokerError, BrokerStartError, MavenUnavailableError, SyntheaUnavailableError) as error:
        fail(str(error), ExitCode.UNAVAILABLE)
    except DemoFailedError as error:
        fail(str(error), ExitCode.FAILED)
    raise typer.Exit(ExitCode.DONE if agreed else ExitCode.FAILED)


def _perform(
    settings: Settings,
    source: DemoSource,
    broker: RunningBroker,
    folder: Path,
    audience: Audience,
) -> bool:
    console = audience.console
    told: dict[str, Any] = {
        "bootstrap_servers": broker.bootstrap_servers,
        "data_dir": folder / "state",
        "policy": source.policy,
    }
    if broker.kind == "given":
        # Nobody's own topics, group or transactional ids are touched.
        told |= {
            "app_id": f"g9603-demo-{secrets.token_hex(4)}",
            "topic_prefix": f"demo-{secrets.token_hex(4)}-",
        }
    else:
        # A broker of our own has no door to unlock.
        settings = without_security(settings)
    if broker.kind == "in-process":
        told["check_crcs"] = False  # it changes batches of transactions after their checksum was made
    settings = settings.model_copy(update=told)
    policy = load_policy(settings.policy, load_registry())
    console.print(f"[bold]Broker[/]  {broker.description}", highlight=False)
    console.print(f"[bold]Input[/]   {source.description}", highlight=False)
    topology = Topology(settings.app_id, settings.topic_prefix)
    asyncio.run(demo_topics(settings, topology, broker))
    progress = DemoProgress(total=len(source.records))
    stage = Stage(settings, source, policy, folder, progress)
    with Live(get_renderable=lambda: screen(progress), console=console, refresh_per_second=5):
        outcome = asyncio.run(stage.run(on_recount=progress.count_again))
    _tell(settings, source, progress, outcome, audience)
    if broker.kind == "in-process":
        console.print(f"[yellow]{CANNOT_SHOW}[/]", highlight=False)
    return agrees(progress, outcome)


def _tell(
    settings: Settings,
    source: DemoSource,
    progress: DemoProgress,
    outcome: Outcome,
    audience: Audience,
) -> None:
    console = audience.console
    if audience.as_json:
        print_json(outcome_json(progress, outcome))
        return
    if source.featured_episode_id is not None:
        topology = Topology(settings.app_id, settings.topic_prefix)
        policy = load_policy(settings.policy, load_registry())
        found = asyncio.run(
            find_episode(
                connection_options(settings), topology, sealing(settings, topology), source.featured_episode_id
            )
        )
        if found.coded is not None:
            console.print("\n[bold]The first patient[/], as `g9603 explain` tells it:")
            print_explanation(source.featured_episode_id, found.coded, policy, console)
    console.print()
    console.print(outcome_report(progress, outcome))
