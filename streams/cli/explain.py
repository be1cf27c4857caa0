"""``g9603 explain``: why an episode is coded, or why it is not."""

import asyncio
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from streams.cli.console import (
    ExitCode,
    err,
    fail,
    out,
    print_json,
    refusals,
    settings_of_environment,
    write_document,
)
from streams.cli.explanation_view import explanation_view
from streams.domain.coder import CodedEpisode
from streams.domain.policy import Policy
from streams.explanation.changelog_lookup import ChangelogRefusedError, Found, Home, locate_episode, read_episode
from streams.explanation.episode import explain_episode
from streams.explanation.episode_page import episode_page
from streams.instruments.registry import load_registry
from streams.kafka.connection import connection_options
from streams.kafka.granted_rights import ensure_rights
from streams.kafka.sealing import sealing
from streams.policies.policy_loading import load_policy
from streams.processing.access import Role, rights_of
from streams.processing.topology import Topology
from streams.settings import Settings


def explain(
    episode: Annotated[str, typer.Argument(help="The episode_id; - to read it from standard input.")],
    html: Annotated[Path | None, typer.Option(help="Write the episode as a page with a picture to this file.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="For scripts.")] = False,  # noqa: FBT002 - a flag
) -> None:
    """Tell why an episode is coded, or what is missing, and what billing was told.

    Reads what the workers last committed, and decides anew by the policy of this environment. Ends with 1 where
    the episode is not known. What stands on a command line is seen by everyone on the machine: where ids are
    confidential, give the episode on standard input. A page (--html) holds patient data: only you may read its file.
    """
    settings = settings_of_environment()
    if episode == "-":
        episode = sys.stdin.readline().rstrip("\r\n")
    try:
        with refusals():
            policy = load_policy(settings.policy, load_registry())
            home, found = asyncio.run(_find(settings, episode))
    except ChangelogRefusedError as error:
        fail(str(error), ExitCode.MISCONFIGURED)
    if found.coded is None:
        fail(_not_known(episode, home, found), ExitCode.FAILED)
    explanation = explain_episode(episode, found.coded, policy, as_of_ms=found.as_of_ms)
    if html is not None:
        write_document(html, episode_page(explanation, policy), private=True)
    if as_json:
        print_json(explanation.as_json())
    elif html is None:
        out.print(explanation_view(explanation))


def print_explanation(episode_id: str, coded: CodedEpisode, policy: Policy, console: Console) -> None:
    """Explain an episode on *console*, for a person."""
    console.print(explanation_view(explain_episode(episode_id, coded, policy)))


async def _find(settings: Settings, episode_id: str) -> tuple[Home, Found]:
    connection = connection_options(settings)
    topology = Topology(settings.app_id, settings.topic_prefix)
    with err.status("looking for the brokers") as status:
        await ensure_rights(connection, rights_of(Role.EXPLAINER, topology))
        home = await locate_episode(connection, topology, episode_id)
        read_count = 0

        def show(count: int) -> None:
            nonlocal read_count
            read_count += count
            status.update(f"reading {home.topic}-{home.partition}: {read_count:,} records")

        return home, await read_episode(connection, home, sealing(settings, topology), episode_id, on_progress=show)


def _not_known(episode_id: str, home: Home, found: Found) -> str:
    if found.is_forgotten:
        return (
            f"{episode_id!r} is forgotten: nothing was heard of it for as long as the policy keeps an episode. What it "
            "was coded with stands, as coding-events tells; what comes for it now is a dead letter."
        )
    return (
        f"{episode_id!r} is not known: looked in {home.topic}-{home.partition}, its partition among "
        f"{home.partition_count}. Either the id is wrong, or its records are still on the way."
    )
