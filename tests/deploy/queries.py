"""Which queries are in the rules and on the dashboard, and which metrics do they ask for?"""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from tests.deploy.dockerfile import ROOT

PROMETHEUS_FOLDER = ROOT / "deploy" / "prometheus"
RULES_FILES = sorted((PROMETHEUS_FOLDER / "rules").glob("*.yml"))
RULE_TESTS = sorted((PROMETHEUS_FOLDER / "tests").glob("*.yml"))
DASHBOARD_FILES = sorted((ROOT / "deploy" / "grafana" / "dashboards").glob("*.json"))

_NAMES = re.compile(r"\b(?:[a-z_]+:)?g9603_[a-z0-9_]+(?::[a-z0-9]+)?\b")
_QUOTED = re.compile(r'"[^"]*"')


class Query(NamedTuple):
    """A query, and where it stands."""

    place: str
    expression: str

    @property
    def names(self) -> set[str]:
        """The metrics and recorded series that it asks for."""
        return set(_NAMES.findall(_QUOTED.sub('""', self.expression)))


def rules() -> Iterator[dict[str, Any]]:
    """Every rule of every file."""
    for path in RULES_FILES:
        for group in yaml.safe_load(path.read_text())["groups"]:
            yield from group["rules"]


def alerts() -> dict[str, dict[str, Any]]:
    """The alerts by their names."""
    return {rule["alert"]: rule for rule in rules() if "alert" in rule}


def rule_queries() -> list[Query]:
    """Those of the rules."""
    return [Query(rule.get("alert") or rule["record"], rule["expr"]) for rule in rules()]


def panel_queries(path: Path) -> list[Query]:
    """Those of a dashboard's panels."""
    panels = json.loads(path.read_text())["panels"]
    return [Query(panel["title"], target["expr"]) for panel in panels for target in panel.get("targets", [])]
