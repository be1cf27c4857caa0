"""The judge of the negative controls finds what was lost and what was doubled, and nothing where all is well."""

import orjson
import pytest

from tests.chaos.controls.counting import judge_counts
from tests.tasks_in_memory import Record


def told(event_id: str, revision: int, offset: int) -> Record:
    """A record of the program, which is also what it was told of."""
    value = orjson.dumps({"event_id": event_id, "episode_id": "EP-1", "revision": revision})
    return Record("topic", 0, offset, 0, b"EP-1", value)


INPUTS = [told("a", 0, 0), told("b", 0, 1)]


@pytest.mark.parametrize(
    ("events", "lost", "doubled", "invariants"),
    [
        ([told("a", 1, 0), told("b", 2, 1)], 0, 0, set()),
        ([told("a", 1, 0)], 1, 0, {"I1"}),
        ([told("a", 1, 0), told("b", 2, 1), told("b", 3, 2)], 0, 1, {"I1"}),
        ([told("a", 1, 0), told("b", 1, 1)], 0, 0, {"I5"}),
    ],
    ids=["all is well", "one is lost", "one is doubled", "the table has lost a write"],
)
def test_what_is_found(events: list[Record], lost: int, doubled: int, invariants: set[str]) -> None:
    """Each by its invariant, and counted."""
    judgement = judge_counts(INPUTS, events, events)

    assert (judgement.lost, judgement.doubled) == (lost, doubled)
    assert {violation.invariant for violation in judgement.violations} == invariants


def test_what_only_one_reader_saw() -> None:
    """An event that is not there any more was part of an aborted transaction."""
    events = [told("a", 1, 0), told("b", 2, 1)]
    judgement = judge_counts(INPUTS, events, [*events, told("c", 3, 2)])

    assert {violation.invariant for violation in judgement.violations} == {"I4"}
