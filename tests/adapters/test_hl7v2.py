"""HL7 v2 becomes the events that it tells of; what is missing is named, and what is wrong shows no values."""

import json
from pathlib import Path
from typing import Any

import pytest
from hl7apy.parser import parse_message
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.survey_completed import SurveyCompleted
from schemas.treatment_recorded import TreatmentRecorded
from streams.adapters.adaptation import Adaptation
from streams.adapters.hl7v2.reading import Hl7v2Adapter
from streams.adapters.mapping import Mapping, load_mapping, parse_mapping
from streams.instruments.registry import load_registry

REGISTRY = load_registry()
GOLDEN = Path(__file__).parents[1] / "golden" / "adapters"
README = (Path(__file__).parents[2] / "streams" / "adapters" / "README.md").read_text()
PLACES = (Path(__file__).parents[2] / "streams" / "adapters" / "hl7v2.toml").read_text()
SITE = load_mapping(GOLDEN / "mapping.toml", REGISTRY)
BUILT_IN = load_mapping(None, REGISTRY)
STORY = [text.replace("\n", "\r") for text in (GOLDEN / "low-back-pain.hl7").read_text().strip().split("\n\n")]

VISIT = f"PV1|1|O{'|' * 48}e-1\r"
ORU = (
    "MSH|^~\\&|EHR|CLINIC|||20260112090211-0500||ORU^R01^ORU_R01|m1|P|2.5.1\r"
    "PID|1||p-1^^^CLINIC^MR||^^^^^^U\r" + VISIT + "OBR|1||o-1|72514-3^^LN|||20260112090000-0500||||||||||||||||||F\r"
    "OBX|1|NM|72514-3^^LN||6|{score}|||||F\r"
)
DFT = (
    "MSH|^~\\&|EHR|CLINIC|||20260115103000-0500||DFT^P03^DFT_P03|m2|P|2.5.1\r"
    "EVN|P03|20260115103000-0500\rPID|1||p-1^^^CLINIC^MR||^^^^^^U\r"
    + VISIT
    + "FT1|1|t-1||20260115100000-0500||CG|97110^^C4|||1\rDG1|1||M54.50^^I10C\rIN1|1|P|60054|Aetna\r"
)
PHQ9 = BUILT_IN.questionnaires["http://loinc.org/q/44249-1"].items


def panel(status: str = "F", *, left_out: int = 0, more: str = "") -> str:
    """A PHQ-9 as answers, of which two are coded."""
    values = ["LA6571-9", "LA6568-5", "1", "1", "1", "1", "1", "1", "1"]
    items = zip(PHQ9[left_out:], values[left_out:], strict=True)
    lines = [f"OBX|{n}|CWE|{code}^^LN||{value}||||||{status}\r" for n, (code, value) in enumerate(items, start=1)]
    head = ORU.split("OBR")[0]
    return f"{head}OBR|1||o-2|44249-1^^LN|||20260112090000-0500\r{''.join(lines)}{more}"


def adapted(message: str | bytes, mapping: Mapping = BUILT_IN) -> Adaptation:
    return Hl7v2Adapter(mapping, REGISTRY).adapt(message.encode() if isinstance(message, str) else message)


def events_of(message: str | bytes, mapping: Mapping = BUILT_IN) -> list[dict[str, Any]]:
    adaptation = adapted(message, mapping)
    assert not adaptation.faults
    return [json.loads(event.value) for event in adaptation.events]


def fault_of(message: str | bytes, mapping: Mapping = BUILT_IN) -> tuple[str, str]:
    adaptation = adapted(message, mapping)
    assert not adaptation.events
    (fault,) = adaptation.faults
    return fault.reason, fault.detail


def site(text: str) -> Mapping:
    return parse_mapping(PLACES, text, REGISTRY, name="site.toml")


# ---------------------------------------------------------------------------------------------
# The story
# ---------------------------------------------------------------------------------------------
def test_the_story() -> None:
    """As the file has it: baseline, two treatments, a follow-up that is corrected and then deleted."""
    events = [event.value for message in STORY for event in adapted(message, SITE).events]

    assert events == (GOLDEN / "low-back-pain.hl7.events.ndjson").read_bytes().splitlines()


@pytest.mark.parametrize("message", [*STORY, panel()], ids=range(len(STORY) + 1))
def test_the_story_is_hl7(message: str) -> None:
    """A parser that we did not write, and do not read with, takes it."""
    assert parse_message(message, find_groups=True, validation_level=1).validate()


@pytest.mark.parametrize("message", [SurveyCompleted, TreatmentRecorded])
def test_the_table_has_every_field(message: type[SurveyCompleted] | type[TreatmentRecorded]) -> None:
    """Whoever maps a feed finds each field of the contract."""
    table = README.split("## HL7 v2, field by field")[1].split("\n## ")[0]
    cells = " ".join(line.split("|")[1] for line in table.splitlines() if line.startswith("| `"))

    assert {name for name in message.model_fields if f"`{name}`" not in cells} == set()


# ---------------------------------------------------------------------------------------------
# What is told
# ---------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("message", "field", "told"),
    [
        (ORU, "survey_id", "o-1:nprs"),
        (ORU, "version", 1_768_226_531),
        (ORU.replace("|F\r", "|C\r"), "status", "amended"),
        (ORU.replace("{score}|||||F", "{score}|||||"), "status", "completed"),
        (ORU.replace("|6|{score}|||||F", "||{score}|||||W"), "score", "0"),
        (ORU.replace("|6|", "|6.50|"), "score", "6.50"),
        (ORU.replace("NM|", "SN|").replace("|6|", "|^6|"), "score", "6"),
        (ORU.replace("72514-3^^LN||6", "PAIN^^L^72514-3^^LN||6"), "instrument", "nprs"),
        (ORU.replace("p-1^^^CLINIC^MR", "p\\T\\1^^^CLINIC^MR"), "patient_id", "p&1"),
        (f"\x0b{ORU}\x1c\r", "survey_id", "o-1:nprs"),
        (ORU.replace("\r", "\r\n"), "survey_id", "o-1:nprs"),
        (DFT, "payer_id", "Aetna"),
        (DFT, "diagnoses", ["M54.50"]),
        (DFT, "version", 1_768_491_000),
        (DFT.replace("|CG|", "|CD|"), "version", 1_768_491_001),
        (DFT.replace("|CG|", "|CD|"), "status", "entered-in-error"),
        (DFT.replace("97110^^C4", "91251008^^SCT"), "code_system", "SNOMED-CT"),
        (DFT.replace("|||1\r", f"|||1{'|' * 15}97140^^C4|GP~59\r"), "code", "97140"),
        (DFT.replace("|||1\r", f"|||1{'|' * 15}97140^^C4|GP~59\r"), "modifiers", ["GP", "59"]),
    ],
)
def test_a_field(message: str, field: str, told: object) -> None:
    (event,) = events_of(message)

    assert event[field] == told


def test_another_character_set() -> None:
    """As MSH-18 names it."""
    message = ORU.replace("|2.5.1\r", "|2.5.1||||||8859/1\r").replace("p-1", "p-é")

    assert events_of(message.encode("iso-8859-1"))[0]["patient_id"] == "p-é"


def test_a_panel() -> None:
    """Answers by the order of the instrument; beside a score they must agree with it."""
    total = "OBX|10|NM|44261-6^^LN||10||||||F\r"

    assert events_of(panel())[0]["answers"] == [3, 0, 1, 1, 1, 1, 1, 1, 1]
    assert events_of(panel(left_out=1))[0]["answers"] == [None, 0, 1, 1, 1, 1, 1, 1, 1]
    (scored,) = events_of(panel(more=total))
    assert (scored["score"], scored["answers"]) == ("10", [3, 0, 1, 1, 1, 1, 1, 1, 1])
    assert fault_of(panel(more=total.replace("||10|", "||11|")))[0] == "score_mismatch"
    assert events_of(panel("C"))[0]["status"] == "amended"
    assert events_of(panel("D"))[0]["status"] == "entered-in-error"
    assert adapted(panel("P")).passed_over == {"not final": 1}


def test_several_patients_and_results() -> None:
    """Each result is its own patient's, and each code its own."""
    second = ORU.split("\r", 1)[1].replace("p-1", "p-2").replace("o-1", "o-2")
    events = events_of(ORU + "OBX|2|NM|8480-6^^LN||120|||||F\r" + second)

    assert [(event["patient_id"], event["survey_id"]) for event in events] == [("p-1", "o-1:nprs"), ("p-2", "o-2:nprs")]


def test_a_site_s_places_and_authorities() -> None:
    """Where this site keeps the episode, whose patient ids are meant, and what it calls CPT."""
    mapping = site(
        'identifiers = { patient = "STATE" }\ncode_systems = { CPT = "HCPCS" }\n'
        '[hl7v2.treatment]\nepisode_id = ["PID-18.1"]\n'
    )
    message = DFT.replace("p-1^^^CLINIC^MR", f"p-1^^^CLINIC~s-9^^^STATE{'|' * 15}account-3").replace("C4", "CPT")

    (event,) = events_of(message, mapping)

    assert (event["patient_id"], event["episode_id"], event["code"]) == ("s-9", "account-3", "97110")


@pytest.mark.parametrize("at", ["20260712093000", "202607120930", "20260712093000.123-0400"])
def test_times_of_a_zone(at: str) -> None:
    """Where the mapping names it; an offset that is told stands."""
    mapping = site('[times]\nzone = "America/New_York"')
    (event,) = events_of(ORU.replace("20260112090000-0500", at), mapping)

    assert event["completed_at"].startswith("2026-07-12T09:30:00")
    assert event["completed_at"].endswith("-04:00")


def test_charges_of_a_day() -> None:
    """Where the mapping takes them, a treatment of a day is its last second."""
    mapping = site('[times]\nzone = "America/New_York"\ndays = "survey-first"')
    (event,) = events_of(DFT.replace("|20260115100000-0500|", "|20260115|"), mapping)

    assert event["performed_at"] == "2026-01-15T23:59:59-05:00"


# ---------------------------------------------------------------------------------------------
# What is none, and what is wrong
# ---------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("message", "why"),
    [
        (ORU.replace("ORU^R01^ORU_R01", "ADT^A08"), "other type"),
        (ORU.replace("72514-3^^LN||", "8480-6^^LN||"), "other code"),
        (ORU.replace("|F\r", "|P\r"), "not final"),
        (DFT.replace("|CG|", "|PY|"), "not final"),
    ],
)
def test_what_is_none_of_ours(message: str, why: str) -> None:
    adaptation = adapted(message)

    assert (adaptation.events, adaptation.faults, dict(adaptation.passed_over)) == ([], [], {why: 1})


@pytest.mark.parametrize(
    ("message", "reason", "told"),
    [
        ("", "empty", "there is none"),
        ("\r\n", "not_hl7", "does not begin with an MSH"),
        ("{}", "not_hl7", "does not begin with an MSH"),
        ("MSH|", "not_hl7", "does not begin with an MSH"),
        (ORU.replace("p-1", "p-é").encode("iso-8859-1"), "not_hl7", "not in the character set"),
        (ORU.replace("|2.5.1\r", "|2.5.1||||||BIG-5\r"), "not_hl7", "MSH-18 is none of"),
        (ORU.replace("|e-1\r", "|\r"), "not_told", "OBR 1, OBX 1 does not tell episode_id (PV1-50.1)"),
        (ORU.replace("p-1^^^", "p-1^^^A~p-2^^^"), "ambiguous", "PID-3.1 tells 2 identifiers"),
        (ORU.replace("|6|", "||"), "not_told", "score (OBX-5)"),
        (ORU.replace("|6|", '|""|'), "not_told", "score (OBX-5)"),
        (ORU.replace("|6|", "|six|"), "invalid", "OBX-5 is no number"),
        (ORU.replace("|6|", "|11|"), "score_out_of_range", "OBR 1, OBX 1: score: outside 0 to 10"),
        (ORU.replace("20260112090000-0500", "20260112"), "not_told", "completed_at (OBX-14.1, OBR-7.1)"),
        (ORU.replace("20260112090000-0500", "20260112090000"), "not_told", "completed_at (OBX-14.1, OBR-7.1)"),
        (ORU.replace("20260112090000-0500", "20261399090000"), "not_told", "completed_at"),
        (
            DFT.replace("97110^^C4", "97110"),
            "not_told",
            "FT1 1 does not tell code (FT1-25, FT1-7 with a third component",
        ),
        (DFT.replace("M54.50", "back"), "invalid", "diagnoses"),
    ],
)
def test_what_cannot_be_an_event(message: str | bytes, reason: str, told: str) -> None:
    """The reason to count by, and a sentence that says where."""
    found, detail = fault_of(message)

    assert found == reason
    assert told in detail


CANARY = "Jane-Roe-1974"


@settings(max_examples=80)
@given(data=st.data())
def test_any_damage(data: st.DataObject) -> None:
    """Whatever is cut or put in: an answer comes, and no fault shows what stood there."""
    message = data.draw(st.sampled_from([ORU, DFT, panel()]))
    begin = data.draw(st.integers(0, len(message)))
    end = data.draw(st.integers(begin, min(begin + 20, len(message))))
    put = data.draw(st.sampled_from(["", CANARY, "|", "^", "~", "&", "\\", "\\X4\\", "\r", "\x00", f"|{CANARY}|"]))

    adaptation = adapted(message[:begin] + put + message[end:])

    assert CANARY not in "".join(map(str, adaptation.faults))
