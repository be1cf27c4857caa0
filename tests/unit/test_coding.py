"""What billing is told: every field of a coding event, and where it comes from."""

from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import orjson
import pytest
from msgspec.structs import replace as with_fields

from schemas.vocabulary import RecordStatus, TreatmentCodeSystem
from streams.domain.coder import CodedEpisode, advance
from streams.domain.coding import decimal_text
from streams.domain.episode import Arrival
from streams.domain.fact import Fact, Survey, Treatment
from streams.domain.instant import Instant
from streams.domain.policy import Policy, ThresholdKind
from tests.billing_consumer import billed
from tests.episode_notation import facts_of
from tests.policies_for_tests import DEFAULT, POLICIES, by_threshold

GOLDEN = Path(__file__).parent.parent / "golden" / "coding-event.json"

EASTERN_WINTER, EASTERN_SUMMER = -300, -240
BASELINE = Survey(
    source="tablet",
    event_id="tablet-0001",
    survey_id="survey-1",
    version=1,
    status=RecordStatus.COMPLETED,
    patient_id="patient-1",
    instrument="odi",
    instrument_version="2.1",
    score=Decimal(48),
    completed_at=Instant(1_736_690_400_000_000, EASTERN_WINTER),
    payer_id="medicare",
    encounter_id="encounter-of-the-baseline",
)
TREATMENT = Treatment(
    source="ehr",
    event_id="ehr-0001",
    treatment_id="treatment-1",
    version=1,
    status=RecordStatus.COMPLETED,
    patient_id="patient-1",
    code="97110",
    code_system=TreatmentCodeSystem.HCPCS,
    performed_at=Instant(1_736_949_600_000_000, EASTERN_WINTER),
    modifiers=("GP", "KX"),
    encounter_id="encounter-1",
    facility_id="clinic-1",
    payer_id="MEDICARE",
    rendering_npi="1234567893",
    place_of_service="11",
    diagnoses=("M54.50", "M54.16"),
)
FOLLOW_UP = Survey(
    source="portal",
    event_id="portal-0001",
    survey_id="survey-2",
    version=2,
    status=RecordStatus.AMENDED,
    patient_id="patient-1",
    instrument="odi",
    instrument_version="2.1",
    score=Decimal(22),
    completed_at=Instant(1_744_081_200_250_000, EASTERN_SUMMER),
    encounter_id="encounter-2",
    payer_id="Aetna",
    place_of_service="02",
)
STORY: tuple[Fact, ...] = (BASELINE, TREATMENT, FOLLOW_UP)
"""Low back pain: the Oswestry index before physical therapy, and twelve weeks after; by then with another payer."""


def coding_events(*told: Fact, policy: Policy = DEFAULT) -> list[dict[str, Any]]:
    """What billing reads, after each of *told* was taken in alone."""
    coded = CodedEpisode()
    for seconds, fact in enumerate(told):
        arrived = [Arrival(fact, 1_744_081_260_125 + seconds * 1_000)]
        coded = advance(coded, arrived, episode_id="episode-1", policy=policy).after
    events: list[dict[str, Any]] = orjson.loads(orjson.dumps(list(coded.ledger.events("episode-1"))))
    return events


def the_coding_event(*told: Fact, policy: Policy = DEFAULT) -> dict[str, Any]:
    (event,) = coding_events(*told, policy=policy)
    assert billed([event]) == event
    return event


def test_the_whole_event() -> None:
    """The story of low back pain says exactly this, id and all; the file is part of the contract."""
    assert the_coding_event(*STORY) == orjson.loads(GOLDEN.read_bytes())


def test_the_follow_up_tells_before_the_treatment() -> None:
    """Of the follow-up; what it lacks, of the anchor treatment; never of the baseline."""
    event = the_coding_event(*STORY)
    assert event["encounter_id"] == FOLLOW_UP.encounter_id
    assert event["payer_id"] == FOLLOW_UP.payer_id
    assert event["place_of_service"] == FOLLOW_UP.place_of_service
    assert event["facility_id"] == TREATMENT.facility_id
    assert event["rendering_npi"] == TREATMENT.rendering_npi
    assert event["diagnoses"] == list(TREATMENT.diagnoses)


def test_what_nobody_told_is_named() -> None:
    """`not_available` lists what neither the follow-up nor the treatment told, and only that."""
    bare = the_coding_event(*facts_of("odi 48 @-3d | T | odi 22 @+60d"))
    optional = ["encounter_id", "payer_id", "rendering_npi", "facility_id", "place_of_service"]
    assert bare["not_available"] == [*optional, "diagnoses"]
    assert [bare[name] for name in optional] == [None] * 5
    assert bare["diagnoses"] == []
    assert the_coding_event(*STORY)["not_available"] == []


@pytest.mark.parametrize(
    ("payer_id", "channel", "charge", "modifiers"),
    [
        ("aetna", "claim", "0.01", ["GP"]),
        (" AETNA ", "claim", "0.01", ["GP"]),
        ("60054", "claim", "0.01", ["GP"]),
        ("Medicare", "registry", "0.00", []),
        ("Medicare Advantage", "hold", "0.00", []),
        ("somebody new", "hold", "0.00", []),
        (None, "hold", "0.00", []),
    ],
)
def test_the_payers_rule(payer_id: str | None, channel: str, charge: str, modifiers: list[str]) -> None:
    """The rule's modifiers and never the treatment's; an unknown payer is held, never guessed."""
    treatment, follow_up = with_fields(TREATMENT, payer_id=None), with_fields(FOLLOW_UP, payer_id=payer_id)
    event = the_coding_event(BASELINE, treatment, follow_up)
    assert (event["channel"], event["charge"], event["modifiers"]) == (channel, charge, modifiers)
    assert event["treatment"]["modifiers"] == ["GP", "KX"]


@pytest.mark.parametrize(
    ("follow_up", "service_date"),
    [
        ("odi 22 @+1d-12h", "2025-01-16"),
        ("odi 22 @+1d-12h utc-5", "2025-01-15"),
        ("odi 22 @+11h utc+9", "2025-01-16"),
        ("odi 22 @+12h-1us", "2025-01-15"),
        ("odi 22 @+12h-1us utc+1", "2025-01-16"),
        ("odi 22 @+44d utc+14", "2025-03-01"),
    ],
)
def test_a_date_of_service_is_a_local_date(follow_up: str, service_date: str) -> None:
    """The calendar of the place where the patient answered says which day it was."""
    assert the_coding_event(*facts_of(f"odi 48 @-3d | T | {follow_up}"))["service_date"] == service_date


@pytest.mark.parametrize(
    ("before", "after", "change", "threshold"),
    [
        ("odi 48", "odi 22", "-26", "0"),
        ("lefs 30", "lefs 45", "15", "0"),
        ("odi 50", "odi 35", "-15", "0"),
        ("eq5d5l_us -0.25", "eq5d5l_us 0.5", "0.75", "0"),
        ("odi 48.100000000001", "odi 0.1", "-48.000000000001", "0"),
    ],
)
def test_the_change_is_follow_up_minus_baseline(before: str, after: str, change: str, threshold: str) -> None:
    """In score points, whichever way better lies."""
    event = the_coding_event(*facts_of(f"{before} @-3d | T | {after} @+60d"))
    assert (event["change"], event["threshold"]) == (change, threshold)


@pytest.mark.parametrize(
    ("policy", "baseline", "threshold"),
    [
        (by_threshold(ThresholdKind.POINTS, "3.50"), "48", "3.5"),
        (by_threshold(ThresholdKind.PERCENT, "30"), "50", "15"),
        (by_threshold(ThresholdKind.PERCENT, "30"), "33.333333333333", "9.999999999999"),
        (by_threshold(ThresholdKind.PUBLISHED), "48", "10"),
    ],
)
def test_the_threshold_is_told_in_points(policy: Policy, baseline: str, threshold: str) -> None:
    """With 12 decimals at most, as every decimal of the contract, and never more than was met."""
    event = the_coding_event(*facts_of(f"odi {baseline} @-3d | T | odi 1 @+60d"), policy=policy)
    assert event["threshold"] == threshold


def test_not_improved_is_told_where_the_policy_asks() -> None:
    story = (BASELINE, TREATMENT, with_fields(FOLLOW_UP, score=Decimal(48)))
    event = the_coding_event(*story, policy=POLICIES["any, G9605"])
    assert (event["code"], event["change"], event["action"]) == ("G9605", "0", "new")


def test_a_program_is_named() -> None:
    event = the_coding_event(*facts_of("avvq 40 @-3d | T 36475 | avvq 20 @+90d"), policy=POLICIES["veins"])
    assert event["program"] == "veins"
    assert the_coding_event(*STORY)["program"] is None


@pytest.mark.parametrize(
    ("instrument", "version", "direction", "loinc"),
    [
        ("promis_pf", "2.0", "increase", "91721-1"),
        ("promis_pf", "V2.0", "increase", "91721-1"),
        ("promis_pf", "1.0", "increase", None),
        ("promis_pf", None, "increase", None),
        ("odi", None, "decrease", "97909-6"),
        ("rmdq", None, "decrease", None),
    ],
)
def test_the_instrument(instrument: str, version: str | None, direction: str, loinc: str | None) -> None:
    """A LOINC code only where it is known for this version."""
    scale = f"{instrument}/{version}" if version else instrument
    before, after = ("20", "24") if direction == "increase" else ("24", "20")
    event = the_coding_event(*facts_of(f"{scale} {before} @-3d | T | {scale} {after} @+60d"))
    assert event["instrument"] == {"id": instrument, "version": version, "direction": direction, "loinc": loinc}


CORRECTED = with_fields(FOLLOW_UP, event_id="portal-0002", version=3, score=Decimal(24))
RETRACTED = with_fields(FOLLOW_UP, event_id="portal-0003", version=4, status=RecordStatus.ENTERED_IN_ERROR)


def test_a_correction_replaces() -> None:
    """Another score is another content, and names the event that it replaces."""
    new, replaced = coding_events(*STORY, CORRECTED)
    assert (replaced["action"], replaced["revision"], replaced["prior_event_id"]) == ("replace", 2, new["event_id"])
    assert replaced["followup"] == new["followup"] | {"score": "24", "version": 3}
    assert replaced["change"] == "-24"


def test_a_retraction_voids() -> None:
    """A void says in full what it takes back."""
    _, replaced, void = coding_events(*STORY, CORRECTED, RETRACTED)
    assert (void["action"], void["revision"], void["prior_event_id"]) == ("void", 3, replaced["event_id"])
    own = {"event_id", "action", "revision", "prior_event_id", "decided_at"}
    assert {name: void[name] for name in void if name not in own} == {
        name: replaced[name] for name in replaced if name not in own
    }


@pytest.mark.parametrize(
    ("payer_id", "decided_at", "is_past"),
    [
        ("aetna", "2025-08-05T23:59:59.999+00:00", False),
        ("aetna", "2025-08-06T00:00:00+00:00", True),
        ("medicare", "2025-08-06T00:00:00+00:00", False),
        ("somebody new", "2035-01-01T00:00:00+00:00", False),
    ],
    ids=["on-the-last-day", "a-day-late", "another-payer", "no-limit-is-stated"],
)
def test_what_comes_past_the_filing_limit_is_flagged(payer_id: str, decided_at: str, is_past: bool) -> None:  # noqa: FBT001
    """120 days after 7 April at Aetna, by the date of `decided_at` in UTC; told only where it is so."""
    arrived_at_ms = int(datetime.fromisoformat(decided_at).timestamp() * 1000)
    arrived = [
        Arrival(fact, arrived_at_ms) for fact in (BASELINE, TREATMENT, with_fields(FOLLOW_UP, payer_id=payer_id))
    ]
    event = advance(CodedEpisode(), arrived, episode_id="episode-1", policy=DEFAULT).event

    assert event is not None
    assert event["service_date"] == "2025-04-07"
    assert event.get("past_filing_limit") is (True if is_past else None)


def test_a_flag_goes_with_what_it_was_told_of() -> None:
    """A correction that comes too late is flagged, what it replaces stays as it was, and a void repeats the flag."""
    ledger = advance(CodedEpisode(), [Arrival(f, 1) for f in STORY], episode_id="episode-1", policy=DEFAULT).after
    for late in (CORRECTED, RETRACTED):
        arrived = [Arrival(late, 1_800_000_000_000)]
        ledger = advance(ledger, arrived, episode_id="episode-1", policy=DEFAULT).after
    events = list(ledger.ledger.events("episode-1"))

    assert [event.get("past_filing_limit", False) for event in events] == [False, True, True]
    assert billed(orjson.loads(orjson.dumps(events))) is None


def test_another_policy_is_another_content() -> None:
    """With the next fact, an episode is told under the rules that are in force."""
    coded = advance(CodedEpisode(), [Arrival(f, 1) for f in STORY], episode_id="episode-1", policy=DEFAULT).after
    beside = with_fields(BASELINE, event_id="tablet-0002", survey_id="survey-3", instrument="nprs", score=Decimal(5))
    stays = advance(coded, [Arrival(beside, 2)], episode_id="episode-1", policy=DEFAULT)
    assert stays.event is None
    upgraded = advance(coded, [Arrival(beside, 2)], episode_id="episode-1", policy=replace(DEFAULT, version="8"))
    assert upgraded.event is not None
    assert upgraded.event["action"] == "replace"
    assert upgraded.event["policy"] == {"id": DEFAULT.id, "version": "8"}


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("42.50", "42.5"),
        ("1E+2", "100"),
        ("100", "100"),
        ("1E-12", "0.000000000001"),
        ("-0", "0"),
        ("-0.00", "0"),
        ("0E+3", "0"),
        ("0E-12", "0"),
        ("-0.573", "-0.573"),
        ("9.9999999999999", "9.999999999999"),
        ("-0.0000000000001", "0"),
        ("0.10", "0.1"),
    ],
)
def test_decimals_are_plain(value: str, text: str) -> None:
    """No exponent, no trailing zeros, no minus zero: one number has one text, so one content has one id."""
    assert decimal_text(Decimal(value)) == text
