"""Rules and dashboards: do they ask only for what a worker tells, and do the alerts come when they should?"""

import inspect
import re
import subprocess
from pathlib import Path

import pytest

from streams.metrics.catalogue import CATALOGUE
from streams.monitoring.alerts import FIRST_STEPS, alerts_of
from streams.settings import Settings
from tests.deploy.dashboard_file import DASHBOARD_FILE, dashboard_document
from tests.deploy.dockerfile import ROOT
from tests.deploy.programs import program
from tests.deploy.queries import (
    DASHBOARD_FILES,
    PROMETHEUS_FOLDER,
    RULE_TESTS,
    RULES_FILES,
    Query,
    alerts,
    panel_queries,
    rule_queries,
    rules,
)

ALERTS = alerts()
RUNBOOK = ROOT / "deploy" / "README.md"
QUERIES = [*rule_queries(), *(query for path in DASHBOARD_FILES for query in panel_queries(path))]


def _promtool(*words: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([program("promtool"), *map(str, words)], capture_output=True, text=True, check=False)


@pytest.mark.parametrize("path", RULE_TESTS, ids=lambda path: path.stem)
def test_in_each_scenario_exactly_those_alerts_fire(path: Path) -> None:
    tested = _promtool("test", "rules", path)

    assert tested.returncode == 0, tested.stderr


def test_prometheus_takes_its_files() -> None:
    """The configuration, whose certificate is not here, and the rules."""
    configured = _promtool("check", "config", "--syntax-only", PROMETHEUS_FOLDER / "prometheus.yml")
    ruled = _promtool("check", "rules", "--lint-fatal", *RULES_FILES)

    assert configured.returncode == 0, configured.stderr
    assert ruled.returncode == 0, ruled.stderr


@pytest.mark.parametrize("query", QUERIES, ids=lambda query: query.place)
def test_a_query_asks_only_for_what_is_told(query: Query) -> None:
    told = {name for metric in CATALOGUE for name in metric.series}
    recorded = {rule["record"] for rule in rules() if "record" in rule}

    assert query.names <= told | recorded


def test_everything_that_is_told_is_shown() -> None:
    """On the dashboard, or in what the rules make of it for the dashboard."""
    shown = set().union(*(query.names for query in QUERIES))

    assert [metric.name for metric in CATALOGUE if shown.isdisjoint(metric.series)] == []


def test_the_dashboard_is_made_from_the_catalogue() -> None:
    """If this fails: `python -m tests.deploy.dashboard_file`."""
    assert DASHBOARD_FILE.read_text() == dashboard_document()


@pytest.mark.parametrize("alert", ALERTS)
def test_an_alert_has_a_scenario_in_which_it_fires(alert: str) -> None:
    assert any(re.search(rf'alertname(="|: ){alert}\b', path.read_text()) for path in RULE_TESTS)


@pytest.mark.parametrize("alert", ALERTS)
def test_an_alert_says_how_urgent_it_is_and_where_help_is(alert: str) -> None:
    rule = ALERTS[alert]

    assert rule["labels"]["severity"] in ("page", "ticket")
    assert rule["annotations"]["runbook_url"] == f"deploy/README.md#{alert.lower()}"


def test_each_alert_has_its_section_and_each_section_its_alert() -> None:
    """Each says what it means, what to look at, what to do, and when to wake somebody."""
    sections = dict(re.findall(r"^### (G9603\w+)\n(.*?)(?=^#|\Z)", RUNBOOK.read_text(), re.MULTILINE | re.DOTALL))

    assert set(sections) == set(ALERTS)
    for text in sections.values():
        assert [word for word in ("**Means**", "**Look**", "**Do**", "**Wake**") if word not in text] == []


def test_behind_means_the_same_to_the_rules_and_to_the_workers() -> None:
    """A worker's page calls the group behind from the same age on."""
    (behind,) = [rule["expr"] for rule in rules() if rule.get("record") == "job:g9603_behind:ratio"]
    high = Settings.model_fields["lag_seconds_high"].default

    assert behind.endswith(f">= bool {high:.0f}")


def test_a_page_speaks_of_the_same_alerts() -> None:
    """What would fire by one look has the names of the rules: they are the headings of the runbook."""
    source = Path(inspect.getsourcefile(alerts_of) or "").read_text()
    named = set(re.findall(r'"(G9603[A-Z]\w+)"', source))

    assert named
    assert named <= set(ALERTS)


@pytest.mark.parametrize(("alert", "step"), FIRST_STEPS.items(), ids=FIRST_STEPS)
def test_what_a_page_says_to_do_stands_in_the_runbook(alert: str, step: str) -> None:
    """Word for word, as the first line of the alert's section."""
    section = Path("deploy/README.md").read_text().split(f"### {alert}\n")[1].split("\n### ")[0]

    assert section.strip().startswith(f"- **First** {step}\n")
