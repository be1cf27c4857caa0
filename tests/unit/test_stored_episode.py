"""Facts added to the bytes of an episode say what reading, deciding and writing it would have said."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streams.domain.coder import CodedEpisode, advance, decided, may_be_coded
from streams.domain.decision import Coded, decide
from streams.domain.episode import Arrival, current_facts
from streams.domain.fact import Fact
from streams.domain.policy import Policy
from streams.processing.stored_episode import (
    EncodedArrival,
    EpisodeFormatError,
    decode_episode,
    encode_episode,
    grown,
    with_new_facts,
)
from tests.episode_notation import facts_of
from tests.policies_for_tests import DEFAULT, POLICIES
from tests.strategies import arrivals, batches, histories

law = settings(max_examples=100, deadline=None)
any_policy = st.sampled_from(list(POLICIES.values()))


def stored(episode: str) -> bytes:
    """What is kept of the facts in the line *episode*, all of them read."""
    return encode_episode(advanced(CodedEpisode(), arrived(episode), DEFAULT))


def arrived(episode: str) -> list[Arrival]:
    return [Arrival(fact, 1_750_000_000_000 + number) for number, fact in enumerate(facts_of(episode))]


def encoded(batch: list[Arrival]) -> list[EncodedArrival]:
    return [EncodedArrival.of(arrival.fact, arrival.timestamp_ms) for arrival in batch]


def advanced(before: CodedEpisode, batch: list[Arrival], policy: Policy) -> CodedEpisode:
    return advance(before, batch, episode_id="episode", policy=policy).after


@law
@given(arrivals().flatmap(batches), any_policy)
def test_bytes_are_added_as_facts_are(cut: list[list[Arrival]], policy: Policy) -> None:
    """Whatever arrives in whatever batches: the episode is the one that was read, and nothing was to be told."""
    value: bytes | None = None
    coded = CodedEpisode()
    for batch in cut:
        step = advance(coded, batch, episode_id="episode", policy=policy)
        added = with_new_facts(value, encoded(batch), policy)
        if added is not None:
            assert decode_episode(added) == step.after
            assert step.event is None
            assert not step.after.ledger.entries
        coded, value = step.after, added if added is not None else encode_episode(step.after)


@law
@given(arrivals().flatmap(batches), any_policy)
def test_an_episode_is_decided_behind_its_bytes(cut: list[list[Arrival]], policy: Policy) -> None:
    """Where all that arrives is new, an episode that is only added to is decided, told and kept as one that is read."""
    coded = CodedEpisode()
    for batch in cut:
        step = advance(coded, batch, episode_id="episode", policy=policy)
        episode = grown(encode_episode(coded), encoded(batch))
        if episode is not None and batch:
            at_ms = episode.newest_timestamp_ms
            decision, posting = decided(
                episode.facts, episode.ledger, episode_id="episode", newest_timestamp_ms=at_ms, policy=policy
            )
            assert (decision, posting.event) == (step.decision, step.event)
            assert decode_episode(episode.with_ledger(posting.ledger)) == step.after
        coded = step.after


@law
@given(histories(), any_policy)
def test_what_is_coded_could_be(told: list[Fact], policy: Policy) -> None:
    """No policy codes an episode with fewer facts than `may_be_coded` asks for."""
    if isinstance(decide(told, policy), Coded):
        current = current_facts(told)
        assert may_be_coded(len(current.surveys), len(current.treatments), policy)


@pytest.mark.parametrize(
    ("before", "batch"),
    [
        ("", "odi 48 @-3d ev:1"),
        ("odi 48 @-3d ev:1", "T ev:2 | T ev:3"),
        ("T ev:1", "T ev:11"),
        ("odi 48 @-3d ev:1", "odi 40 @-2d ev:2"),
        ("T ev:1", "T void #0 v2 ev:2"),
    ],
)
def test_most_facts_are_added_without_reading(before: str, batch: str) -> None:
    """A first fact, a treatment in a course, a second survey before any treatment."""
    value = with_new_facts(stored(before) if before else None, encoded(arrived(batch)), DEFAULT)

    assert value is not None
    assert {fact.event_id for fact in decode_episode(value).episode.facts} == {
        fact.event_id for fact in (*facts_of(before), *facts_of(batch))
    }


@pytest.mark.parametrize(
    ("before", "batch", "why"),
    [
        ("odi 48 @-3d ev:1 | T ev:2", "odi 22 @+9d ev:3", "it may be coded now"),
        ("", "odi 48 @-3d ev:1 | T ev:2 | odi 22 @+9d ev:3", "it may be coded at once"),
        ("T ev:1", "T ev:1", "the event is known"),
        ("", "T ev:1 | T ev:1", "the event comes twice"),
        ("T ev:1", "T 97140 ev:1", "the event comes with another content"),
        ("odi 48 @-3d ev:1 | T ev:2 | odi 22 @+9d ev:3", "T @+20d ev:4", "billing was told of it"),
        ("T ev:1 | T 97140 ev:1", "T ev:2", "an event is contested"),
    ],
)
def test_what_is_not_so_simple_is_read(before: str, batch: str, why: str) -> None:
    """Bytes are never added where reading might say something else."""
    assert with_new_facts(stored(before) if before else None, encoded(arrived(batch)), DEFAULT) is None, why


@pytest.mark.parametrize(
    "value", [b"", b"\x00" * 21, b"\x93\x93\x90\x00\x90\x91\x90", b"\x01" + bytes(15) + b"\x09" + bytes(4)]
)
def test_another_format_is_refused(value: bytes) -> None:
    """What another version wrote is not guessed at."""
    with pytest.raises(EpisodeFormatError, match="another version"):
        decode_episode(value)
