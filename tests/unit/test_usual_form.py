"""The quick reading and the contract's types never disagree."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streams.domain.fact import Fact, Survey
from streams.intake.decoder import Decoded
from streams.intake.rejection import RejectedError, RejectionReason
from streams.intake.usual_form import usual_survey, usual_treatment
from tests.example_messages import DECODER, TREATMENT
from tests.json_messages import json_bytes, json_values, mutated_messages
from tests.messages import message, message_bytes
from tests.strategies import facts

law = settings(max_examples=200, deadline=None)

WITHOUT_MEANING = [("x-request-id", b"1")]
"""Headers that say nothing, and for which the quick reading is not tried."""

dates = st.sampled_from(["2026-01-05", "2026-02-30", "0001-01-01", "9999-12-31", "2026-W01-1", "20260105", "2026-1-5"])
separators = st.sampled_from(["T", "t", " ", ""])
clocks = st.sampled_from(
    ["09:00:00", "23:59:60", "24:00:00", "09:00", "090000", "09:00:00.5", "09:00:00.123456789", "09:00:00,5", "9:00:00"]
)
offsets = st.sampled_from(["Z", "z", "", "-05:00", "+0530", "+23:59", "+24:00", "-00:00", "+05", "+05:30:15", "-05:80"])
times = st.builds("".join, st.tuples(dates, separators, clocks, offsets)) | st.text(max_size=30)
scores = st.from_regex(r"-?[0-9]{0,14}(\.[0-9]{0,14})?([eE][-+]?[0-9]{1,3})?", fullmatch=True).flatmap(
    lambda text: st.sampled_from([text, f'"{text}"', f'" {text}"', f'"{text}_0"'])
) | st.sampled_from(["null", "NaN", "Infinity", "true", "[]", '"\\u0035"', "00", "-0", "-0.0", "1.", ".5"])
codes = st.lists(st.sampled_from(["GP", "gp", "G", "GPX", "é9", "M54.50", "m5450", "M54.5\n", "", "M5٣"]), max_size=3)


def outcome(value: bytes, headers: Any, *, as_survey: bool) -> Decoded | RejectionReason:  # noqa: ANN401 - anything
    """The fact, or the reason why not."""
    try:
        return (DECODER.decode_survey if as_survey else DECODER.decode_treatment)(value, headers)
    except RejectedError as rejected:
        return rejected.reason


def with_raw(told: dict[str, Any], name: str, raw: str) -> bytes:
    """*told* as JSON, with the text *raw* as the value of *name*, whatever it is."""
    marked = json.dumps(told | {name: "<here>"})
    return marked.replace('"<here>"', raw).encode()


@law
@given(st.binary() | json_values.map(json_bytes) | mutated_messages(), st.booleans())
def test_both_readings_say_the_same(value: bytes, as_survey: bool) -> None:  # noqa: FBT001
    """Whatever arrives is the same fact, or is refused for the same reason, by either way of reading it."""
    assert outcome(value, (), as_survey=as_survey) == outcome(value, WITHOUT_MEANING, as_survey=as_survey)


@law
@given(facts(), times)
def test_both_read_the_same_times(fact: Fact, time: str) -> None:
    """RFC 3339 is no wider for one than for the other, nor an instant another."""
    as_survey = isinstance(fact, Survey)
    told = message(fact, "episode") | {"completed_at" if as_survey else "performed_at": time}
    value = json.dumps(told).encode()

    assert outcome(value, (), as_survey=as_survey) == outcome(value, WITHOUT_MEANING, as_survey=as_survey)


@law
@given(facts().filter(lambda fact: isinstance(fact, Survey)), scores)
def test_both_read_the_same_scores(fact: Fact, score: str) -> None:
    """A score has one value, to the last digit, however it is written."""
    value = with_raw(message(fact, "episode"), "score", score)

    assert outcome(value, (), as_survey=True) == outcome(value, WITHOUT_MEANING, as_survey=True)


@law
@given(facts().filter(lambda fact: not isinstance(fact, Survey)), codes, st.sampled_from(["modifiers", "diagnoses"]))
def test_both_read_the_same_codes(fact: Fact, given_codes: list[str], name: str) -> None:
    """A modifier or a diagnosis has the same form for both."""
    value = json.dumps(message(fact, "episode") | {name: given_codes}).encode()

    assert outcome(value, (), as_survey=False) == outcome(value, WITHOUT_MEANING, as_survey=False)


@pytest.mark.parametrize(
    "unknown",
    [
        b'"future":"\x80"',
        b'"\x80":1',
        b'"future":"\xed\xa0\x80"',
        b'"future":' + b"[" * 250 + b"]" * 250,
        b'"future":' + b"9" * 5_000,
        b'"future":"\\ud800"',
        b'"event_id":"twice"',
        b'"\\u0065vent_id":"escaped"',
        b'"future":{"score":1}',
    ],
    ids=["broken_utf8", "broken_name", "surrogate", "depth", "digits", "half_a_pair", "twice", "escaped", "nested"],
)
def test_both_say_the_same_of_what_the_contract_does_not_know(unknown: bytes) -> None:
    """What is passed over is looked at all the same: a record is JSON as a whole or not at all."""
    value = json.dumps(TREATMENT).encode()[:-1] + b"," + unknown + b"}"

    assert outcome(value, (), as_survey=False) == outcome(value, WITHOUT_MEANING, as_survey=False)


@law
@given(facts())
def test_what_producers_send_is_usual(fact: Fact) -> None:
    """The quick reading is not just correct: it answers."""
    value = message_bytes(fact, "episode")

    assert (usual_survey(value) if isinstance(fact, Survey) else usual_treatment(value)) is not None


@pytest.mark.parametrize("value", [b"", b"{}", b"[]", b"null", b"\xff", b'{"score":'])
def test_what_is_not_usual_is_left_alone(value: bytes) -> None:
    """It refuses nothing by itself: only the contract's types can say why."""
    assert usual_survey(value) is None
    assert usual_treatment(value) is None


@pytest.mark.parametrize("offset", ["-05:80", "+23:60", "+00:99"])
def test_an_offset_has_no_more_than_59_minutes(offset: str) -> None:
    """Python would take it and make another instant of it (found by the fuzzer); the contract's types do not."""
    value = json.dumps(TREATMENT | {"performed_at": f"2026-01-05T09:00:00{offset}"}).encode()

    assert outcome(value, (), as_survey=False) is RejectionReason.INVALID_TIME
