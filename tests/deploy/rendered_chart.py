"""What does Helm make of the chart?"""

import subprocess
from pathlib import Path
from typing import Any

import yaml

from tests.deploy.dockerfile import ROOT
from tests.deploy.programs import program

CHART = ROOT / "deploy" / "helm" / "g9603"
KUBERNETES_VERSION = "1.34.0"
VALUES = {path.name.removesuffix("-values.yaml"): path for path in sorted((CHART / "ci").glob("*-values.yaml"))}
"""Sets of values: no more than is required, and everything that can be switched on."""

Resource = dict[str, Any]


def render(values: Path | None, *settings: str) -> subprocess.CompletedProcess[str]:
    """``helm template`` with *values* and ``--set`` *settings*."""
    command = [program("helm"), "template", "g9603", str(CHART), "--namespace", "coding"]
    command += ["--kube-version", KUBERNETES_VERSION]
    command += ["--values", str(values)] if values is not None else []
    command += [word for setting in settings for word in ("--set", setting)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def resources(text: str) -> list[Resource]:
    """The documents in *text*."""
    return [document for document in yaml.safe_load_all(text) if document]


def of_kind(rendered: list[Resource], kind: str) -> list[Resource]:
    """The *rendered* resources of one kind."""
    return [resource for resource in rendered if resource["kind"] == kind]
