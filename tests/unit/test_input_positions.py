"""Where a task reads on: where it was, if the log still has it, and nowhere else unless somebody has decided so."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from streams.settings import Settings
from streams.worker.input_positions import Bounds, Gap, Jump, parse_jumps, starting_position
from streams.worker.step import TopicPartition

SOURCE = TopicPartition("survey-completed", 3)
offsets = st.integers(0, 50)
bounds_of_logs = st.tuples(offsets, offsets).map(lambda pair: Bounds(min(pair), max(pair)))
jumps = st.none() | st.builds(Jump, offsets, offsets)


@pytest.mark.parametrize(
    ("position", "bounds", "jump", "start"),
    [
        (None, Bounds(0, 0), None, 0),
        (None, Bounds(5, 9), None, 5),
        (None, Bounds(5, 9), Jump(0, 7), 5),
        (0, Bounds(0, 0), None, 0),
        (7, Bounds(5, 9), None, 7),
        (9, Bounds(5, 9), None, 9),
        (3, Bounds(5, 9), Jump(3, 5), 5),
        (7, Bounds(5, 9), Jump(3, 5), 7),
        (40, Bounds(0, 9), Jump(40, 0), 0),
    ],
)
def test_where_reading_goes_on(position: int | None, bounds: Bounds, jump: Jump | None, start: int) -> None:
    """At the position, at the begin of what was never read, or where a jump from this very position leads."""
    assert starting_position(SOURCE, position, bounds, jump) == start


@pytest.mark.parametrize(
    ("position", "bounds", "jump", "words"),
    [
        (3, Bounds(5, 9), None, "the records from offset 3 to 4 are gone and were never read"),
        (0, Bounds(5, 9), None, "the records from offset 0 to 4 are gone"),
        (3, Bounds(5, 9), Jump(2, 5), "the records from offset 3 to 4 are gone"),
        (3, Bounds(8, 9), Jump(3, 5), "the records from offset 3 to 7 are gone"),
        (40, Bounds(0, 9), None, "was read up to offset 40, but the log ends at 9"),
    ],
)
def test_what_is_refused(position: int, bounds: Bounds, jump: Jump | None, words: str) -> None:
    """The sentence names the partition and the offsets."""
    gap = starting_position(SOURCE, position, bounds, jump)
    assert isinstance(gap, Gap)
    assert gap.sentence.startswith(f"survey-completed-3: {words}")


@given(st.none() | offsets, bounds_of_logs, jumps)
def test_reading_starts_in_the_log_and_what_is_advised_is_accepted(
    position: int | None, bounds: Bounds, jump: Jump | None
) -> None:
    """A start is always an offset that the log has or will have; and who follows the refusal's advice gets on."""
    start = starting_position(SOURCE, position, bounds, jump)
    if isinstance(start, Gap):
        (advised,) = parse_jumps(Settings(read_on=start.jump).read_on).items()
        assert starting_position(SOURCE, position, bounds, advised[1]) == bounds.begin
        assert advised[0] == SOURCE
    else:
        assert bounds.begin <= start <= bounds.end


@given(offsets, bounds_of_logs)
def test_without_a_jump_nothing_that_was_read_to_is_left_or_read_again(position: int, bounds: Bounds) -> None:
    """A task reads on exactly where it was, or not at all."""
    start = starting_position(SOURCE, position, bounds, None)
    assert start == position or isinstance(start, Gap)


def test_several_jumps_are_told_in_one_setting() -> None:
    """Topics may have hyphens and dots."""
    setting = Settings(read_on="a.b-c-0:12-40, survey-completed-3:40-0").read_on
    assert parse_jumps(setting) == {TopicPartition("a.b-c", 0): Jump(12, 40), SOURCE: Jump(40, 0)}


@pytest.mark.parametrize("setting", ["12-40", "survey-completed:12-40", "survey-completed-3:12", "a-0:1-2;b-0:1-2"])
def test_a_jump_that_cannot_be_read_is_refused(setting: str) -> None:
    """Before anything is joined."""
    with pytest.raises(ValidationError):
        Settings(read_on=setting)
