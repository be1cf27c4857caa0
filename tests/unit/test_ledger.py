"""What billing is told when a decision changes: tried on every short course of decisions."""

from collections.abc import Sequence
from itertools import pairwise, product

import pytest

from streams.domain.coding import Coding, coding_of
from streams.domain.decision import Coded, decide
from streams.domain.ledger import Ledger
from tests.billing_consumer import billed
from tests.episode_notation import facts_of
from tests.policies_for_tests import DEFAULT


def coding(episode: str) -> Coding:
    decision = decide(facts_of(episode), DEFAULT)
    assert isinstance(decision, Coded)
    return coding_of(decision, DEFAULT)


BETTER = coding("odi 48 @-3d | T | odi 22 @+60d")
CORRECTED = coding("odi 48 @-3d | T | odi 24 @+60d v2")

LONGEST = 6
COURSES = [course for length in range(LONGEST + 1) for course in product((None, BETTER, CORRECTED), repeat=length)]


def ledger_after(course: Sequence[Coding | None]) -> Ledger:
    ledger = Ledger()
    for at, decided in enumerate(course):
        ledger = ledger.brought_to(decided, episode_id="episode-1", decided_at_ms=at).ledger
    return ledger


@pytest.mark.parametrize(
    ("course", "actions"),
    [
        ([None], []),
        ([BETTER], ["new"]),
        ([BETTER, BETTER], ["new"]),
        ([BETTER, CORRECTED], ["new", "replace"]),
        ([BETTER, CORRECTED, BETTER], ["new", "replace", "replace"]),
        ([BETTER, None], ["new", "void"]),
        ([BETTER, None, None], ["new", "void"]),
        ([BETTER, None, BETTER], ["new", "void", "new"]),
        ([BETTER, CORRECTED, None, CORRECTED], ["new", "replace", "void", "new"]),
    ],
)
def test_actions(course: list[Coding | None], actions: list[str]) -> None:
    assert [entry.action.value for entry in ledger_after(course).entries] == actions


def test_a_consumer_that_checks_everything_holds_the_last_decision() -> None:
    """For every course of up to six decisions: chains without a gap, ids by the documented rule, nothing twice."""
    for course in COURSES:
        events = list(ledger_after(course).events("episode-1"))
        standing = billed(events)
        last = course[-1] if course else None
        assert (standing is None) == (last is None)
        if standing is not None and last is not None:
            assert standing["followup"]["score"] == str(last.follow_up.score)
        assert len({event["event_id"] for event in events}) == len(events)
        assert len(events) == sum(before != after for before, after in pairwise([None, *course]))


def test_the_event_that_is_told_is_the_event_that_is_kept() -> None:
    """What one decision posts is, to the letter, what the ledger shows of it ever after."""
    for course in COURSES:
        ledger, posted = Ledger(), []
        for at, decided in enumerate(course):
            posting = ledger.brought_to(decided, episode_id="episode-1", decided_at_ms=at)
            assert (posting.event is None) == (posting.ledger is ledger)
            ledger = posting.ledger
            posted += [posting.event] if posting.event is not None else []
        assert posted == list(ledger.events("episode-1"))
        assert posted[2:] == list(ledger.events("episode-1", after_revision=2))


def test_an_id_names_the_episode_too() -> None:
    """Two episodes with one content have two ids; one episode has the same id on a rebuild."""
    posted = {
        episode_id: Ledger().brought_to(BETTER, episode_id=episode_id, decided_at_ms=at).ledger.entries[0].event_id
        for at, episode_id in enumerate(("episode-1", "episode-2"))
    }
    assert posted["episode-1"] != posted["episode-2"]
    assert posted["episode-1"] == ledger_after([None, None, BETTER]).entries[0].event_id
