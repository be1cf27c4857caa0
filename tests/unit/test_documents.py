"""What the documents say is so: commands exist, settings and fields are those of the code, links lead somewhere."""

import re
import subprocess
from pathlib import Path

import pytest
from pydantic import BaseModel
from typer.testing import CliRunner

from schemas.coding_event import CodingEvent
from schemas.patient_merged import PatientMerged
from schemas.survey_completed import SurveyCompleted
from schemas.treatment_recorded import TreatmentRecorded
from streams.cli.application import cli
from streams.intake.rejection import RejectionReason
from streams.settings import PREFIX, Settings

ROOT = Path(__file__).parents[2]
DOCUMENTS = sorted(path for path in ROOT.rglob("*.md") if not {".venv", "node_modules", ".git"} & set(path.parts))
README = (ROOT / "README.md").read_text()
CONTRACT = (ROOT / "schemas" / "README.md").read_text()
COMMANDS = sorted(set(re.findall(r"g9603 ([a-z][a-z-]*(?: check)?)", README)) - {"exits"})
TARGETS = sorted(set(re.findall(r"make ([a-z][a-z0-9.-]*[a-z0-9])", README + (ROOT / "CONTRIBUTING.md").read_text())))


def _identifier(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_that_is_named_can_be_asked_for_help(command: str) -> None:
    """Nobody types a command of the README and is told that there is none."""
    asked = CliRunner().invoke(cli, [*command.split(), "--help"])

    assert asked.exit_code == 0, asked.output


@pytest.mark.parametrize("target", TARGETS)
def test_every_target_that_is_named_can_be_made(target: str) -> None:
    """Nobody makes what cannot be made."""
    planned = subprocess.run(["make", "-n", target], cwd=ROOT, capture_output=True, text=True, check=False)

    assert planned.returncode == 0, planned.stderr


def test_the_settings_are_those_of_the_code() -> None:
    """Every setting stands in the README's table, but the one that only the demonstration needs."""
    table = README.split("## Settings")[1].split("\n## ")[0]
    settings = {f"{PREFIX}{name.upper()}" for name in Settings.model_fields}

    assert set(re.findall(r"`(G9603_[A-Z_]+)`", table)) == settings


@pytest.mark.parametrize(
    ("heading", "message"),
    [
        ("SurveyCompleted", SurveyCompleted),
        ("TreatmentRecorded", TreatmentRecorded),
        ("PatientMerged", PatientMerged),
        ("CodingEvent", CodingEvent),
    ],
)
def test_the_contract_names_every_field(heading: str, message: type[BaseModel]) -> None:
    """The tables of the contract and the types have the same fields."""
    section = CONTRACT.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    cells = [line.split("|")[1] for line in section.splitlines() if line.startswith("| `")]

    assert {name for cell in cells for name in re.findall(r"`([a-z_]+)`", cell)} == set(message.model_fields)


def test_the_contract_names_every_reason() -> None:
    """Whoever filters dead letters finds each reason explained."""
    section = CONTRACT.split("\n## Dead letters\n")[1]
    reasons = {line.split("`")[1] for line in section.splitlines() if line.startswith("| `")}

    assert reasons == {str(reason) for reason in RejectionReason}


@pytest.mark.parametrize("document", DOCUMENTS, ids=_identifier)
def test_links_lead_somewhere(document: Path) -> None:
    """A link within the project names a file that is there, and a heading that it has."""
    for target in re.findall(r"\]\((?!https?:)([^)]+)\)", document.read_text()):
        name, _, heading = target.partition("#")
        path = (document.parent / name).resolve() if name else document
        assert path.exists(), f"{target} does not exist"
        if heading:
            headings = {_anchor(line) for line in path.read_text().splitlines() if line.startswith("#")}
            assert heading in headings, f"{target}: no such heading"


def _anchor(line: str) -> str:
    words = line.lstrip("#").strip().lower()
    return re.sub(r"[^a-z0-9 -]", "", words).replace(" ", "-")
