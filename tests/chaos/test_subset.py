"""The part of the attack that every change must withstand: kills, zombies, lost answers, a roll of the brokers.

``make chaos`` runs all of it.
"""

import asyncio
import io
from collections.abc import Iterator, Sequence

import pytest
from rich.console import Console

from tests.chaos.__main__ import DEFAULT_SEED
from tests.chaos.campaign import run_campaign
from tests.chaos.cluster import KafkaCluster
from tests.chaos.report import show_verdict
from tests.chaos.scenario import all_scenarios
from tests.chaos.verdict import Verdict

_PARALLEL = 4


@pytest.fixture(scope="module")
def cluster() -> Iterator[KafkaCluster]:
    """Three brokers, each behind a proxy."""
    with KafkaCluster() as cluster:
        yield cluster


@pytest.mark.kafka
@pytest.mark.timeout(900)  # five minutes on two cores that have nothing else to do
async def test_nothing_is_lost_and_nothing_doubled(cluster: KafkaCluster) -> None:
    """Every scenario of the subset holds; the message has the seed and the timeline of those that do not."""
    subset = [scenario for scenario in all_scenarios() if scenario.in_subset]
    verdicts = await run_campaign(
        subset, seed=DEFAULT_SEED, kafka=cluster, parallel=_PARALLEL, on_verdict=lambda _verdict: None
    )

    assert {verdict.scenario for verdict in verdicts} == {scenario.name for scenario in subset}
    assert not [verdict.scenario for verdict in verdicts if not verdict.holds], await asyncio.to_thread(_told, verdicts)


def test_the_subset_has_what_it_must() -> None:
    """A subset that somebody has emptied would hold, too."""
    subset = [scenario.name for scenario in all_scenarios() if scenario.in_subset]

    for beginning in ("worker-killed", "killed-", "zombie", "answer-lost", "brokers-rolled"):
        assert any(name.startswith(beginning) for name in subset), beginning


def test_scenarios_have_names_of_their_own() -> None:
    """Topics, groups and transactional ids are made of the names."""
    names = [scenario.name for scenario in all_scenarios()]

    assert len(set(names)) == len(names)
    assert all(scenario.what.endswith(".") for scenario in all_scenarios())


def _told(verdicts: Sequence[Verdict]) -> str:
    console = Console(file=io.StringIO(), width=200)
    for verdict in verdicts:
        if not verdict.holds:
            show_verdict(console, verdict)
    text = console.file
    return text.getvalue() if isinstance(text, io.StringIO) else ""
