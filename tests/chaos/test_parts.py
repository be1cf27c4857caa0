"""The small parts of the frame: failpoints that are handed over, loads that differ, numbers that are reported."""

import pytest

from tests.chaos.failpoint import Action, Failpoint, Guard, Moment, Point
from tests.chaos.load import health_system, ids_of_people
from tests.chaos.soak import of_round
from tests.chaos.timeline import Kind, Timeline

FAILPOINTS = [
    Failpoint(Point.END_SENT, Moment.LAST, input_count=7),
    Failpoint(Point.BEFORE_BEGIN, Moment.MIDDLE, Action.BLOCK, 3_000, 2.5, Guard.GROUP_FENCING),
]


@pytest.mark.parametrize("failpoint", FAILPOINTS, ids=lambda failpoint: failpoint.point)
def test_a_worker_is_told_its_failpoint(failpoint: Failpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the command line says is what was meant."""
    _python, _m, _module, *arguments = failpoint.command(poll_records_max=50)
    monkeypatch.setattr("sys.argv", ["instrumented_worker", *arguments])

    assert Failpoint.from_command() == (failpoint, 50)


@pytest.mark.parametrize(
    ("moment", "first_count"), [(Moment.FIRST, 1), (Moment.MIDDLE, 50), (Moment.LAST, 100)], ids=str
)
def test_the_moment_of_a_step(moment: Moment, first_count: int) -> None:
    """A moment comes when so many records of the input have been read, and not before."""
    failpoint = Failpoint(Point.BEFORE_BEGIN, moment, input_count=100)

    assert failpoint.is_step(first_count)
    assert not failpoint.is_step(first_count - 1)


def test_rounds_of_a_soak_share_no_episode() -> None:
    """Else the second round would be corrections of the first, and the episodes would grow."""
    records = health_system(1, 20)
    rounds = [
        {value for value in ids_of_people(of_round(records, number)) if value.startswith("EP-")} for number in (1, 2)
    ]

    assert len(rounds[0]) == len(rounds[1]) >= 20
    assert not rounds[0] & rounds[1]
    assert [record.topic for record in of_round(records, 1)] == [record.topic for record in records]


def test_the_last_trouble_of_a_timeline() -> None:
    """Recovery is counted from the last fault, or from when it was taken back; a note is neither."""
    timeline = Timeline()
    assert timeline.last_trouble_seconds is None

    timeline.add(Kind.FAULT, "killed")
    timeline.add(Kind.HEALED, "started")
    healed = timeline.lines[-1].at_seconds
    timeline.add(Kind.NOTE, "done")

    assert timeline.fault_count == 1
    assert timeline.last_trouble_seconds == healed
