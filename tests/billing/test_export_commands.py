"""`g9603 billing export` and `held`, of an episode of each channel, and of one whose code was taken back."""

import csv
import io
import json
from collections import Counter
from pathlib import Path

import pytest
from hl7apy.parser import parse_message
from typer.testing import CliRunner, Result

from schemas.vocabulary import Channel
from streams.billing.book import BillingBook
from streams.billing.engine import open_database
from streams.cli.application import cli
from tests.billing.test_book import BETTER, CORRECTED, events_of, passage, records_of

VOIDED = [event | {"channel": "claim"} for event in events_of("voided", [BETTER, CORRECTED, None])]
ONE_EACH = [events_of(channel, [BETTER])[0] | {"channel": channel, "program": "mips-420"} for channel in Channel]
BACK_PAIN = events_of("back-pain", [BETTER])[0] | {"channel": "registry"}


@pytest.fixture
def url(tmp_path: Path) -> str:
    """The database."""
    url = f"sqlite:///{tmp_path / 'billing.sqlite'}"
    engine = open_database(url)
    book = BillingBook(engine, "coding-events")
    book.positions([0])
    book.write([passage(records_of([*VOIDED, *ONE_EACH, BACK_PAIN]))])
    engine.dispose()
    return url


def asked(url: str, *arguments: str) -> Result:
    told = CliRunner().invoke(cli, ["billing", *arguments], env={"G9603_BILLING_DATABASE": url})
    assert told.exit_code == 0, told.output
    return told


def test_hl7(url: str) -> None:
    """What goes on claims, and all that was taken back of it: the balance is what stands."""
    messages = asked(url, "export", "dft").stdout.split("\n")
    balance: Counter[str] = Counter()
    for message in filter(None, messages):
        for financial in parse_message(message, find_groups=True).dft_p03_financial:
            sign = {"CG": 1, "CD": -1}[financial.ft1.ft1_6.to_er7()]
            balance[financial.ft1.ft1_2.to_er7()] += sign

    standing = {event["event_id"]: 1 for event in ONE_EACH if event["channel"] in {"claim", "both"}}
    assert {charge: count for charge, count in balance.items() if count} == standing
    assert len(balance) == len(standing) + 2


def test_fhir(url: str) -> None:
    """Each episode once, with what has become of it."""
    items = [json.loads(line) for line in asked(url, "export", "charge-item").stdout.splitlines()]

    assert {item["identifier"][0]["value"]: item["status"] for item in items} == {
        "voided": "entered-in-error",
        "claim": "billable",
        "both": "billable",
        "registry": "not-billable",
        "hold": "planned",
        "back-pain": "not-billable",
    }


def test_claims(url: str) -> None:
    """Those of what stands are active, the last of what was taken back is cancelled."""
    claims = [json.loads(line) for line in asked(url, "export", "claim").stdout.splitlines()]
    status = {told["id"]: told["status"] for told in claims}

    active = {event["event_id"] for event in ONE_EACH if event["channel"] in {"claim", "both"}}
    assert {event_id for event_id, told in status.items() if told == "active"} - active == {VOIDED[0]["event_id"]}
    assert {event_id for event_id, told in status.items() if told == "cancelled"} == {VOIDED[1]["event_id"]}


@pytest.mark.parametrize("into", ["dft", "claim", "claim-line", "charge-item"])
def test_what_was_exported_is_not_new(url: str, into: str) -> None:
    """Each format has its own marks; all of it can be had again."""
    first = asked(url, "export", into).stdout

    assert first
    assert not asked(url, "export", into).stdout
    assert asked(url, "export", into, "--all").stdout == first


def test_a_registry(url: str) -> None:
    """Only what goes to registries, and was decided by the measure's rules."""
    rows = list(csv.DictReader(io.StringIO(asked(url, "export", "registry").stdout)))

    assert [row["episode_id"] for row in rows] == ["both", "registry"]


def test_the_work_list(url: str) -> None:
    """What is on hold, for a script and for a person."""
    assert [event["episode_id"] for event in json.loads(asked(url, "held", "--json").stdout)] == ["hold"]
    assert "1 on hold" in asked(url, "held").stdout
