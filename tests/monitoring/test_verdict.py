"""Are we behind, by how much, why, and until when? A table of groups, and what is said of them."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import pytest

from streams.monitoring.group_monitor import GroupMonitor
from streams.monitoring.group_view import Condition, GroupView
from streams.monitoring.reading import GroupReading, PartitionReading
from streams.monitoring.worker_report import WorkerReport
from tests.monitoring.group import NOW_MS, member, partition, reading, report


def viewed(*seen: GroupReading | WorkerReport, now_ms: int = NOW_MS) -> GroupView:
    """The view after *seen*."""
    monitor = GroupMonitor("coder")
    for one in seen:
        if isinstance(one, GroupReading):
            monitor.take_reading(one)
        else:
            monitor.take_report(one)
    return monitor.view(now_ms)


class Case(NamedTuple):
    """What is seen, and what is to be said."""

    seen: Sequence[GroupReading | WorkerReport]
    condition: Condition
    sentence: str
    cause: str | None
    alerts: Sequence[str]


BEFORE = NOW_MS - 10_000
OLD = partition(0, read_to=100, waiting=1_000, age_seconds=130)
OTHERS = (partition(1), partition(2), partition(3))


def still(*partitions: PartitionReading, **told: Any) -> list[GroupReading]:  # noqa: ANN401 - as `reading` takes them
    """A group in which nothing has moved for some time."""
    return [reading(*partitions, at_ms=at_ms, **told) for at_ms in (BEFORE, NOW_MS)]


CASES = {
    "nothing waits": Case(
        [*still(partition(0)), report()], Condition.IDLE, "Nothing waits, and nothing comes in.", None, []
    ),
    "some wait, not long": Case(
        [reading(partition(0, waiting=7, age_seconds=3)), report()],
        Condition.UP_TO_DATE,
        "Up to date: 7 records wait, the oldest for 3 s.",
        None,
        [],
    ),
    "one waits": Case(
        [reading(partition(0, waiting=1, age_seconds=3)), report()],
        Condition.UP_TO_DATE,
        "Up to date: 1 record waits, the oldest for 3 s.",
        None,
        [],
    ),
    "nothing is worked off": Case(
        [*still(OLD), report()],
        Condition.BEHIND,
        "Behind by 2 min 10 s: 1,000 records wait. Nothing is worked off.",
        None,
        ["G9603PartitionStalled", "G9603LagBudgetBurnsFast"],
    ),
    "the lag shrinks": Case(
        [reading(partition(0, read_to=0, waiting=1_100), at_ms=BEFORE), reading(OLD), report()],
        Condition.RECOVERING,
        "Behind by 2 min 10 s: 1,000 records wait. Caught up in about 1 min 40 s.",
        None,
        ["G9603LagBudgetBurnsFast"],
    ),
    "more comes in than is worked off": Case(
        [reading(partition(0, read_to=0, waiting=500), at_ms=BEFORE), reading(OLD), report()],
        Condition.BEHIND,
        "Behind by 2 min 10 s: 1,000 records wait. "
        "The lag does not shrink: 60 records come in each second, 10 are worked off.",
        "More comes in than 1 worker works off: add workers, up to one a partition.",
        ["G9603LagBudgetBurnsFast"],
    ),
    "one partition is hot": Case(
        [*still(OLD, *OTHERS), report()],
        Condition.BEHIND,
        "Behind by 2 min 10 s: 1,000 records wait. Nothing is worked off.",
        "Most of it waits in one partition, survey-completed-0.",
        ["G9603PartitionStalled", "G9603LagBudgetBurnsFast"],
    ),
    "no worker": Case(
        still(OLD, state="Empty", members=()),
        Condition.BROKEN,
        "No worker runs. 1,000 records wait, the oldest for 2 min 10 s.",
        "The group has no member: start a worker.",
        ["G9603NoWorkers", "G9603PartitionStalled", "G9603LagBudgetBurnsFast"],
    ),
    "no worker, and nothing to do": Case(
        [reading(partition(0), state="Empty", members=())],
        Condition.BROKEN,
        "No worker runs. Nothing waits.",
        None,
        ["G9603NoWorkers"],
    ),
    "a worker is silent": Case(
        [*still(OLD), report(at_ms=NOW_MS - 20_000)],
        Condition.BEHIND,
        "Behind by 2 min 10 s: 1,000 records wait. Nothing is worked off.",
        "coder-0 does not report: stuck, cut off or killed.",
        ["G9603PartitionStalled", "G9603WorkerDown", "G9603LagBudgetBurnsFast"],
    ),
    "a worker restores": Case(
        [*still(OLD), report(phase="restoring", restore_remaining_records=12_340)],
        Condition.BEHIND,
        "Behind by 2 min 10 s: 1,000 records wait. Nothing is worked off.",
        "coder-0 restores episodes: 12,340 records to go.",
        ["G9603PartitionStalled", "G9603LagBudgetBurnsFast"],
    ),
    "the group rebalances": Case(
        [*still(OLD, state="PreparingRebalance"), report()],
        Condition.BEHIND,
        "Behind by 2 min 10 s: 1,000 records wait. Nothing is worked off.",
        "The group rebalances (PreparingRebalance).",
        ["G9603PartitionStalled", "G9603LagBudgetBurnsFast"],
    ),
    "a partition belongs to nobody": Case(
        [*still(OLD, members=[member(0, 1)]), report()],
        Condition.BEHIND,
        "Behind by 2 min 10 s: 1,000 records wait. Nothing is worked off.",
        "1 partition with waiting records belongs to no worker.",
        ["G9603PartitionStalled", "G9603LagBudgetBurnsFast"],
    ),
    "two policies": Case(
        [
            reading(partition(0), members=[member(0, 0), member(1, 1)]),
            report(0),
            report(1, policy_version="2"),
        ],
        Condition.UP_TO_DATE,
        "Up to date: nothing waits.",
        None,
        ["G9603RulesDiffer"],
    ),
    "a watchdog waits": Case(
        [reading(partition(0)), report(trouble="no-step-committed, for 31 s.")],
        Condition.UP_TO_DATE,
        "Up to date: nothing waits.",
        None,
        ["G9603WorkerStuck"],
    ),
    "dead letters": Case(
        [reading(partition(0)), report(at_ms=BEFORE), report(dead_letters={"not_json": 3})],
        Condition.UP_TO_DATE,
        "Up to date: nothing waits.",
        None,
        ["G9603DeadLettersRise"],
    ),
    "nobody was asked": Case([], Condition.BROKEN, "The brokers have not been asked yet.", None, []),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_what_is_said_of_a_group(case: Case) -> None:
    """A row of the table."""
    view = viewed(*case.seen)

    assert (view.condition, view.sentence, view.cause) == (case.condition, case.sentence, case.cause)
    assert [alert.name for alert in view.alerts] == case.alerts


def test_brokers_that_do_not_answer() -> None:
    """What is known is still shown, with since when it is not news; it passes when they answer."""
    monitor = GroupMonitor("coder")
    monitor.take_reading(reading(partition(0, waiting=5, age_seconds=1)))
    monitor.take_failure("no answer", NOW_MS)
    monitor.take_failure("no answer", NOW_MS + 20_000)

    view = monitor.view(NOW_MS + 30_000)
    assert view.condition is Condition.BROKEN
    assert view.sentence == "The brokers cannot be asked (no answer), since 30 s. What is shown is as of then."
    assert view.lag_records == 5
    assert [alert.name for alert in view.alerts] == ["G9603LagUnknown"]

    monitor.take_reading(reading(partition(0), at_ms=NOW_MS + 40_000))
    assert monitor.view(NOW_MS + 40_000).condition is not Condition.BROKEN


@pytest.mark.parametrize(("lag_seconds_high", "is_behind"), [(60.0, True), (300.0, False)])
def test_from_when_on_it_counts_as_behind(lag_seconds_high: float, is_behind: bool) -> None:  # noqa: FBT001
    """As the settings say."""
    monitor = GroupMonitor("coder", lag_seconds_high=lag_seconds_high)
    monitor.take_reading(reading(OLD))

    assert (monitor.view(NOW_MS).condition is Condition.BEHIND) == is_behind


def test_workers_by_the_brokers_and_by_their_word() -> None:
    """A member that never reported, one that stopped, one that left without a word."""
    seen: list[GroupReading | WorkerReport] = [
        reading(partition(0), members=[member(1, 0)]),
        report(2, phase="stopped", at_ms=NOW_MS - 1_000),
        report(3, at_ms=NOW_MS - 60_000),
        report(4, phase="stopped", at_ms=NOW_MS - 60_000),
    ]
    workers = viewed(*seen).workers

    assert {worker.place: worker.phase for worker in workers} == {
        "coder-1": "unknown",
        "coder-2": "stopped",
        "coder-3": "silent",
    }


Totals = Callable[[GroupView], object]


@pytest.mark.parametrize(
    ("reports", "dead_letters"),
    [
        ([report(dead_letters={"empty": 2}), report(1, dead_letters={"empty": 3})], 5),
        ([report(dead_letters={"empty": 2}), report(started_at_ms=1, dead_letters={"empty": 3})], 5),
        ([report(dead_letters={"empty": 2}), report(at_ms=NOW_MS + 1, dead_letters={"empty": 3})], 3),
        ([report(at_ms=NOW_MS + 1, dead_letters={"empty": 3}), report(dead_letters={"empty": 2})], 3),
    ],
    ids=["two workers", "one that was started anew", "one that goes on", "an old report"],
)
def test_what_all_have_done(reports: Sequence[WorkerReport], dead_letters: int) -> None:
    """The latest word of each run counts, and what former runs did is not forgotten."""
    assert viewed(*reports).dead_letters == {"empty": dead_letters}


def test_latency_is_of_the_last_minutes() -> None:
    """Not of all time: what was slow an hour ago does not hide what is fast now."""
    told: dict[str, Any] = {"latency_bounds_seconds": (1.0, 10.0)}
    hour_ago, minute_ago = NOW_MS - 3_600_000, NOW_MS - 60_000
    view = viewed(
        report(at_ms=hour_ago, latency_counts=(0, 0, 0), **told),
        report(at_ms=minute_ago, latency_counts=(0, 100, 0), **told),
        report(at_ms=NOW_MS, latency_counts=(10, 100, 0), **told),
    )

    assert view.latency.p50 == 0.5
    assert view.latency.p99 is not None
    assert view.latency.p99 < 1
