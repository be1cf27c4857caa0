"""Decoding is total: whatever arrives is a fact that can be worked with, or a rejection that says why."""

from typing import Any

import orjson
from hypothesis import given, settings
from hypothesis import strategies as st

from streams.domain.coder import CodedEpisode, advance
from streams.domain.episode import Arrival
from streams.domain.fact import Fact, Survey
from streams.intake.decoder import Decoded
from streams.intake.rejection import RejectedError, RejectionReason
from streams.processing.stored_episode import decode_episode, encode_episode
from tests.example_messages import DECODER, enveloped
from tests.json_messages import json_bytes, json_values, mutated_messages
from tests.messages import message, message_bytes
from tests.policies_for_tests import POLICIES
from tests.strategies import facts, pairs

law = settings(max_examples=100, deadline=None)

header_values = st.sampled_from(
    [b"1.0", b"", b"application/cloudevents+json", b"application/cloudevents+xml", b"\xff;", None]
)
header_lists = st.lists(
    st.tuples(st.sampled_from(["content-type", "ce_specversion", "Content-Type", "x"]), header_values), max_size=3
)


def decoded(value: bytes | None, headers: Any, *, as_survey: bool) -> Decoded | RejectedError:  # noqa: ANN401 - anything
    try:
        return (DECODER.decode_survey if as_survey else DECODER.decode_treatment)(value, headers)
    except RejectedError as rejected:
        return rejected


@law
@given(st.binary() | json_values.map(json_bytes) | mutated_messages() | st.none(), header_lists, st.booleans())
def test_anything_is_a_fact_or_a_rejection(value: bytes | None, headers: Any, as_survey: bool) -> None:  # noqa: ANN401, FBT001
    """Nothing else is raised; and a fact that is accepted can be decided on, told, stored and read again."""
    outcome = decoded(value, headers, as_survey=as_survey)
    if isinstance(outcome, RejectedError):
        assert outcome.reason in RejectionReason
        assert outcome.detail
    else:
        coded = CodedEpisode()
        for policy in POLICIES.values():
            coded = advance(coded, [Arrival(outcome.fact, 1)], episode_id=outcome.episode_id, policy=policy).after
        assert decode_episode(encode_episode(coded)) == coded


@law
@given(facts())
def test_a_fact_in_the_words_of_the_contract_is_that_fact(fact: Fact) -> None:
    """Bare or in an envelope, what a producer says is what is taken in."""
    decode = DECODER.decode_survey if isinstance(fact, Survey) else DECODER.decode_treatment
    bare = decode(message_bytes(fact, "episode"))
    assert bare == Decoded("episode", fact)
    structured = [("content-type", b"application/cloudevents+json")]
    assert decode(enveloped(message(fact, "episode")), structured) == bare


any_year = st.sampled_from(
    ["0001-01-01T00:00:00", "9999-12-31T23:59:59.999999", "1969-12-31T23:59:59", "2025-01-15T12:00:00"]
)
any_offset = st.sampled_from(["Z", "+23:59", "-23:59", "+05:30", "-00:00"])


@law
@given(pairs(), any_year, any_offset)
def test_a_pair_of_any_year_can_be_coded(pair: list[Fact], year: str, offset: str) -> None:
    """There is no accepted time that the coder cannot work with, at either end of the calendar."""
    arrived = []
    for fact in pair:
        name = "completed_at" if isinstance(fact, Survey) else "performed_at"
        value = orjson.dumps(message(fact, "episode") | {name: year + offset, "event_id": fact.identity[1]})
        outcome = decoded(value, (), as_survey=isinstance(fact, Survey))
        assert isinstance(outcome, Decoded)
        assert str(outcome.fact.occurred_at).startswith(year)
        arrived.append(Arrival(outcome.fact, 1))
    coded = advance(CodedEpisode(), arrived, episode_id="episode", policy=POLICIES["any, G9605"]).after
    assert decode_episode(encode_episode(coded)) == coded
