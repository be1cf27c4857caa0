"""What billing systems read is valid for parsers that we did not write, and says what billing was told."""

import csv
import io
import json
from pathlib import Path
from typing import Any

import orjson
import pytest
from fhir.resources.R4B.chargeitem import ChargeItem
from fhir.resources.R4B.claim import Claim
from hl7apy.parser import parse_message

from schemas.coding_event import CodingEvent
from schemas.example_messages import example_messages
from schemas.vocabulary import Channel
from streams.billing.chain import Told
from streams.billing.exports.charge_item import HCPCS, charge_item
from streams.billing.exports.claim import claim
from streams.billing.exports.dft import dft_messages
from streams.billing.exports.registry import COLUMNS, registry_row

GOLDEN = Path(__file__).parents[1] / "golden" / "exports"
STORY = [CodingEvent.model_validate(told["payload"]) for told in example_messages() if told["topic"] == "coding-events"]
HISTORY = [Told(prior, event) for prior, event in zip([None, *STORY], STORY, strict=False)]
EVERYTHING = STORY[0].model_copy(
    update={"modifiers": ("GP", "KX"), "charge": STORY[0].charge + 1, "diagnoses": ("M54.50", "M54.16")}
)
LEAST = STORY[0].model_copy(
    update={
        **dict.fromkeys(("encounter_id", "payer_id", "rendering_npi", "facility_id", "place_of_service")),
        "diagnoses": (),
    }
)


def by_channel(event: CodingEvent, channel: Channel) -> CodingEvent:
    return event.model_copy(update={"channel": channel})


# ---------------------------------------------------------------------------------------------
# HL7 v2.5.1
# ---------------------------------------------------------------------------------------------
def judged(message: str) -> list[tuple[str, str]]:
    """The transactions of *message* (their type and the charge they are about), after hl7apy has found it valid."""
    parsed = parse_message(message, find_groups=True, validation_level=1)
    assert parsed.validate()
    return [(financial.ft1.ft1_6.to_er7(), financial.ft1.ft1_2.to_er7()) for financial in parsed.dft_p03_financial]


def test_the_story_as_hl7() -> None:
    """Charged, exchanged, taken back: as the file has it, byte for byte."""
    messages = [message for told in HISTORY for message in dft_messages(told)]
    first, second, third = (str(event.event_id) for event in STORY[:2] + STORY[1:2])

    assert "".join(messages).replace("\r", "\n") == (GOLDEN / "low-back-pain.hl7").read_text()
    assert [judged(message) for message in messages] == [
        [("CG", first)],
        [("CD", first), ("CG", second)],
        [("CD", third)],
    ]


@pytest.mark.parametrize("event", [EVERYTHING, LEAST], ids=["everything", "least"])
def test_any_event_is_valid_hl7(event: CodingEvent) -> None:
    (message,) = dft_messages(Told(None, event))

    assert judged(message) == [("CG", str(event.event_id))]


@pytest.mark.parametrize(
    ("before", "after", "kinds"),
    [
        (None, Channel.CLAIM, ["CG"]),
        (None, Channel.BOTH, ["CG"]),
        (None, Channel.REGISTRY, []),
        (None, Channel.HOLD, []),
        (Channel.HOLD, Channel.CLAIM, ["CG"]),
        (Channel.CLAIM, Channel.HOLD, ["CD"]),
        (Channel.BOTH, Channel.REGISTRY, ["CD"]),
        (Channel.REGISTRY, Channel.HOLD, []),
    ],
)
def test_only_what_goes_on_a_claim_is_charged(before: Channel | None, after: Channel, kinds: list[str]) -> None:
    """And what was charged and does not belong there any more is taken back."""
    prior = by_channel(STORY[0], before) if before is not None else None
    messages = list(dft_messages(Told(prior, by_channel(STORY[1], after))))

    assert [kind for message in messages for kind, _ in judged(message)] == kinds


def test_delimiters_in_ids_are_no_delimiters() -> None:
    """An id is opaque to us: it comes out of a parser as it went in."""
    (message,) = dft_messages(Told(None, LEAST.model_copy(update={"patient_id": "a|b^c&d~e\\f"})))

    assert message.count("PID|") == 1
    assert "|a\\F\\b\\S\\c\\T\\d\\R\\e\\E\\f|" in message
    assert judged(message)


def test_the_judge_of_hl7_would_say_it() -> None:
    """A message without what is required is not taken."""
    (message,) = dft_messages(HISTORY[0])

    with pytest.raises(Exception, match="PID_3"):
        judged(message.replace("|||patient-1029|", "||||"))


# ---------------------------------------------------------------------------------------------
# FHIR R4
# ---------------------------------------------------------------------------------------------
def valid(item: dict[str, Any]) -> ChargeItem:
    return ChargeItem.model_validate_json(orjson.dumps(item))


def test_the_story_as_fhir() -> None:
    """One ChargeItem, three times: as the file has it."""
    told = [valid(charge_item(event)) for event in STORY]

    lines = [orjson.dumps(charge_item(event)) for event in STORY]
    assert lines == (GOLDEN / "low-back-pain.ndjson").read_bytes().splitlines()
    assert [item.status for item in told] == ["billable", "billable", "entered-in-error"]
    assert len({str(item.identifier) for item in told}) == 1


@pytest.mark.parametrize("event", [EVERYTHING, LEAST], ids=["everything", "least"])
def test_any_event_is_valid_fhir(event: CodingEvent) -> None:
    told = json.loads(valid(charge_item(event)).model_dump_json())

    assert told["code"]["coding"] == [{"system": HCPCS, "code": event.code}]
    assert told["priceOverride"]["value"] == event.charge
    assert [said["valueCode"] for said in told.get("extension", ())] == list(event.modifiers)


def valid_claim(told: Told) -> Claim:
    return Claim.model_validate_json(orjson.dumps(claim(told)))


def test_the_story_as_claims() -> None:
    """Charged, replaced by another, cancelled: as the file has it."""
    claims = [valid_claim(told) for told in HISTORY]

    lines = [orjson.dumps(claim(told)) for told in HISTORY]
    assert lines == (GOLDEN / "low-back-pain.claims.ndjson").read_bytes().splitlines()
    assert [made.status for made in claims] == ["active", "active", "cancelled"]
    assert [made.id for made in claims] == [str(event.event_id) for event in (*STORY[:2], STORY[1])]
    assert [bool(made.related) for made in claims] == [False, True, False]


@pytest.mark.parametrize("event", [EVERYTHING, LEAST], ids=["everything", "least"])
def test_any_event_is_a_valid_claim(event: CodingEvent) -> None:
    told = json.loads(valid_claim(Told(None, event)).model_dump_json())
    (item,) = told["item"]

    assert item["net"]["value"] == told["total"]["value"] == event.charge
    assert [said["coding"][0]["code"] for said in item.get("modifier", ())] == list(event.modifiers)
    assert item.get("diagnosisSequence", []) == [said["sequence"] for said in told.get("diagnosis", ())]
    assert ("careTeam" in told) == ("careTeamSequence" in item) == (event.rendering_npi is not None)


def test_the_judge_of_claims_would_say_it() -> None:
    """A Claim without what is required is not taken."""
    made = claim(HISTORY[0]) or {}

    for element in ("status", "use", "patient", "provider", "insurance"):
        with pytest.raises(ValueError, match="validation error"):
            Claim.model_validate_json(orjson.dumps({name: said for name, said in made.items() if name != element}))


@pytest.mark.parametrize(
    ("channel", "status"),
    [
        (Channel.CLAIM, "billable"),
        (Channel.BOTH, "billable"),
        (Channel.REGISTRY, "not-billable"),
        (Channel.HOLD, "planned"),
    ],
)
def test_the_status_says_what_the_channel_says(channel: Channel, status: str) -> None:
    assert valid(charge_item(by_channel(STORY[0], channel))).status == status


def test_the_judge_of_fhir_would_say_it() -> None:
    """An element that is none, and one that is missing, are not taken."""
    for wrong in ({"modifier": "GP"}, {"quantity": "one"}):
        with pytest.raises(ValueError, match="validation error"):
            valid(charge_item(STORY[0]) | wrong)


# ---------------------------------------------------------------------------------------------
# A registry
# ---------------------------------------------------------------------------------------------
def test_the_story_for_a_registry() -> None:
    """A row an episode, with what the measure looks at."""
    written = io.StringIO()
    csv.writer(written, lineterminator="\n").writerows([COLUMNS, registry_row(STORY[0]), registry_row(LEAST)])

    assert written.getvalue() == (GOLDEN / "low-back-pain.csv").read_text()
