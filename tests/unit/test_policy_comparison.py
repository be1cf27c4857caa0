"""Two policies on one history: what differs is counted once, on both sides, and a switch tells all of it."""

from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.vocabulary import CodingAction
from streams.domain.coder import CodedEpisode, advance
from streams.domain.decision import Coded, decide
from streams.domain.episode import Arrival
from streams.domain.policy import Policy
from streams.policy_comparison.comparison import Difference, Dimension, PolicyComparison
from tests.episode_notation import facts_of
from tests.policies_for_tests import DEFAULT, DEFAULT_RULES, NOT_IMPROVED_TOO
from tests.strategies import arrivals, policies

NARROW = replace(DEFAULT, version="2", rules=replace(DEFAULT_RULES, follow_up_to_days=30))
BOTH_CODES = replace(DEFAULT, published_codes=NOT_IMPROVED_TOO)


def known(arrived: Sequence[Arrival], policy: Policy) -> CodedEpisode:
    """An episode as a worker that decides by *policy* knows it."""
    return advance(CodedEpisode(), arrived, episode_id="E1", policy=policy).after


def compared(episodes: Sequence[CodedEpisode], before: Policy, after: Policy) -> PolicyComparison:
    comparison = PolicyComparison()
    for number, episode in enumerate(episodes):
        comparison.take(f"E{number}", episode, before, after)
    return comparison


def told(line: str, policy: Policy = DEFAULT) -> CodedEpisode:
    return known([Arrival(fact, 1) for fact in facts_of(line)], policy)


@settings(max_examples=60, deadline=None)
@given(st.lists(arrivals(), min_size=1, max_size=4), policies(), policies())
def test_what_one_gains_the_other_loses(arrived: list[list[Arrival]], one: Policy, other: Policy) -> None:
    """Turned around, gains are losses; nothing differs from itself; every difference stands once in each dimension."""
    episodes = [known(arrivals_, one) for arrivals_ in arrived]
    there, back = compared(episodes, one, other), compared(episodes, other, one)
    itself = compared(episodes, one, one)

    turned = {Difference.GAINED: Difference.LOST, Difference.LOST: Difference.GAINED}
    assert there.differences == {turned.get(kind, kind): count for kind, count in back.differences.items()}
    assert there.after_count - there.before_count == (
        there.differences[Difference.GAINED] - there.differences[Difference.LOST]
    )
    for values in there.by_dimension.values():
        assert sum(values.values(), type(there.differences)()) == there.differences
    assert (itself.differences, itself.actions) == ({}, {})


@settings(max_examples=60, deadline=None)
@given(st.lists(arrivals(), min_size=2, max_size=4), policies(), policies(), st.integers(0, 4))
def test_parts_add_up_to_the_whole(arrived: list[list[Arrival]], one: Policy, other: Policy, cut: int) -> None:
    """However the episodes are dealt out to processes."""
    episodes = [known(arrivals_, one) for arrivals_ in arrived]
    parts = compared(episodes[:cut], one, other)
    parts += compared(episodes[cut:], one, other)
    whole = compared(episodes, one, other)

    assert replace(parts, named={}) == replace(whole, named={})


@settings(max_examples=60, deadline=None)
@given(arrivals(), policies(), policies())
def test_a_switch_tells_what_the_other_policy_decides(arrived: list[Arrival], one: Policy, other: Policy) -> None:
    """It would void what is not coded any more, and leave standing what the other policy codes."""
    episode = known(arrived, one)
    actions = compared([episode], one, other).actions
    held, decided = episode.ledger.active is not None, isinstance(decide(episode.episode.facts, other), Coded)

    assert actions[CodingAction.VOID] == (held and not decided)
    assert actions[CodingAction.NEW] == (decided and not held)


@pytest.mark.parametrize(
    ("line", "before", "after", "difference"),
    [
        ("odi 48 @-3d | T | odi 22 @+60d", DEFAULT, NARROW, Difference.LOST),
        ("odi 48 @-3d | T | odi 22 @+60d", NARROW, DEFAULT, Difference.GAINED),
        ("odi 48 @-3d | T | odi 40 @+20d", DEFAULT, NARROW, None),
        ("odi 48 @-3d | T | odi 60 @+20d", DEFAULT, BOTH_CODES, Difference.GAINED),
    ],
    ids=["window-narrowed", "window-widened", "only-the-name", "not-improved-published"],
)
def test_examples(line: str, before: Policy, after: Policy, difference: Difference | None) -> None:
    """What a change of one rule does to one episode."""
    comparison = compared([told(line, before)], before, after)

    assert comparison.differences == ({difference: 1} if difference else {})
    if difference:
        assert comparison.by_dimension[Dimension.INSTRUMENT] == {"odi": {difference: 1}}
    assert comparison.renamed_count == (difference is None)
