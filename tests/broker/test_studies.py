"""Commands that read all of the changelog, on one that the stream tasks made: `policy diff`, `report`, and a page."""

import asyncio
import json
from collections.abc import Mapping
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from streams.cli.application import cli
from streams.local_kafka.local_broker import LocalKafka
from streams.processing.topology import Topology
from streams.replay import replaying
from tests.broker.test_explain import CODED, fill

pytestmark = pytest.mark.kafka

NARROW = """
id = "narrow"
version = "1"
description = "Nothing is followed up in a day."

[follow_up]
from_days = 0
to_days = 1
"""


@pytest.fixture
def environment(kafka: LocalKafka, fresh_prefix: str) -> Mapping[str, str]:
    """The settings of an application that has seen a coded episode, and one that waits for its follow-up."""
    asyncio.run(fill(kafka, Topology(topic_prefix=fresh_prefix)))
    return {"G9603_BOOTSTRAP_SERVERS": kafka.bootstrap_servers, "G9603_TOPIC_PREFIX": fresh_prefix}


def run(environment: Mapping[str, str], *arguments: str) -> Result:
    result = CliRunner().invoke(cli, list(arguments), env=environment)
    assert result.exit_code == 0, result.output
    return result


def test_history_under_another_policy(
    environment: Mapping[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What it would not code is lost, and a switch would void it; in one process as in several."""
    narrow = tmp_path / "narrow.toml"
    narrow.write_text(NARROW)
    here = json.loads(run(environment, "policy", "diff", "default", str(narrow), "--json").stdout)
    monkeypatch.setattr(replaying, "_FEW_RECORDS", 0)
    in_processes = json.loads(run(environment, "policy", "diff", "default", str(narrow), "--json").stdout)
    for_people = run(environment, "policy", "diff", "default", str(narrow))

    assert here == in_processes
    assert here["codes"] == {"before": 1, "after": 0}
    assert here["by"]["instrument"] == {"nprs": {"gained": 0, "lost": 1, "changed": 0}}
    assert (here["switch"]["void"], here["episodes_named"]) == (1, {"lost": [CODED]})
    assert "billing would be told: 0 new, 0 replace, 1 void" in " ".join(for_people.stdout.split())


def test_outcomes_as_documents(environment: Mapping[str, str], tmp_path: Path) -> None:
    """Two episodes are too few to show, in every form; the files are there."""
    html, csv = tmp_path / "outcomes.html", tmp_path / "outcomes.csv"
    told = json.loads(run(environment, "report", "--html", str(html), "--csv", str(csv), "--json").stdout)
    for_people = run(environment, "report")

    (everything,) = told["groups"]["all"]
    assert (everything["withheld"], everything["followed"], everything["awaited"]) == (True, None, None)
    assert "too few outcomes" in html.read_text()
    assert csv.read_text().splitlines()[1].startswith("all,all,yes,,")
    assert "withheld" in for_people.stdout


def test_an_episode_as_a_page(environment: Mapping[str, str], tmp_path: Path) -> None:
    """Nobody else may read the file; a folder that is not there is told."""
    page, nowhere = tmp_path / "episode.html", tmp_path / "nowhere" / "episode.html"
    page.touch(mode=0o644)
    told = run(environment, "explain", CODED, "--html", str(page))
    refused = CliRunner().invoke(cli, ["explain", CODED, "--html", str(nowhere)], env=environment)

    assert f"Episode {CODED}" in page.read_text()
    assert page.stat().st_mode & 0o077 == 0
    assert told.stdout == ""
    assert (refused.exit_code, "cannot be written" in refused.output) == (2, True)
