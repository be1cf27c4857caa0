"""The tables of streams/billing/exports/README.md have every field that an export writes, and no other."""

import re
from pathlib import Path

from schemas.vocabulary import Channel
from streams.billing.chain import Told
from streams.billing.exports.charge_item import charge_item
from streams.billing.exports.claim import claim
from streams.billing.exports.claim_line import claim_line
from streams.billing.exports.dft import dft_messages
from streams.billing.exports.registry import COLUMNS
from tests.billing.test_exports import EVERYTHING, by_channel

README = (Path(__file__).parents[2] / "streams" / "billing" / "exports" / "README.md").read_text()


def documented(section: str) -> set[str]:
    """The first cells of the table in *section*, name by name."""
    (text,) = (part for part in README.split("\n## ") if part.startswith(f"`{section}`:"))
    cells = [line.split("|")[1] for line in text.splitlines() if line.startswith("| ")][1:]
    return {name for cell in cells for name in re.findall(r"[\w-]+", cell)}


def test_every_field_of_hl7() -> None:
    """By segment and number; MSH-1 and MSH-2 are delimiters."""
    (message,) = dft_messages(Told(None, EVERYTHING))
    written = set()
    for segment in message.split("\r")[:-1]:
        name, *fields = segment.split("|")
        first = 2 if name == "MSH" else 1
        written |= {f"{name}-{number}" for number, field in enumerate(fields, start=first) if field}

    assert documented("dft") == written - {"MSH-2"}


def test_every_element_of_fhir() -> None:
    assert documented("charge-item") == set(charge_item(EVERYTHING)) - {"resourceType"}


def test_every_element_of_a_claim() -> None:
    changed = Told(EVERYTHING, EVERYTHING)

    assert documented("claim") == set(claim(changed) or ()) - {"resourceType"}


def test_every_name_of_a_claim_line() -> None:
    assert documented("claim-line") == set(claim_line(Told(None, EVERYTHING)) or ())


def test_every_column_for_a_registry() -> None:
    assert documented("registry") == set(COLUMNS)


def test_every_channel() -> None:
    """What the table of channels says is so."""
    table = README.split("| channel |")[1].split("\n\n")[0]
    rows = [line.split("|")[1:-1] for line in table.splitlines()[2:]]

    for channel, on_claims, status, _ in rows:
        event = by_channel(EVERYTHING, Channel(channel.strip(" `")))
        assert (on_claims.strip() == "charged") == bool(list(dft_messages(Told(None, event))))
        assert (on_claims.strip() == "charged") == (claim(Told(None, event)) is not None)
        assert status.strip(" `") == charge_item(event)["status"]
    assert len(rows) == len(Channel)
