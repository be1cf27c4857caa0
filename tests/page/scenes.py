"""The states that the page is looked at in: each a group that got into it, and the monitor that watched."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from streams.monitoring.group_monitor import GroupMonitor
from streams.monitoring.worker_report import CodingCount, DeadLetterSeen
from tests.page.model_group import ModelGroup, ModelWorker

START_MS = 1_764_064_800_000
"""2025-11-25T10:00:00Z."""
APP_ID = "g9603"
TOPICS = ("survey-completed", "treatment-recorded", "g9603-episodes-rekey")
_PAYERS = ("aetna", "blue-cross-blue-shield", "cigna", "medicare", "unitedhealthcare", "other")
_INSTRUMENTS = (("odi", 412), ("ndi", 207), ("promis_pi", 183), ("phq9", 61))


def idle() -> ModelGroup:
    """There was something to do, and it is done."""
    group = _group()
    group.pass_time(660, in_per_second=240)
    group.pass_time(240, in_per_second=0)
    return group


def up_to_date() -> ModelGroup:
    """Work comes in and is done."""
    group = _group()
    group.pass_time(900, in_per_second=240)
    return group


def behind() -> ModelGroup:
    """More comes in than is worked off, most of it where a few busy clinics are."""
    group = _group()
    group.pass_time(500, in_per_second=240)
    busy = {1: 2.2, 6: 1.9, 7: 1.7, 10: 1.5}
    group.pass_time(400, in_per_second=1_500, shares=busy)
    _add_dead_letters(group)
    group.pass_time(6, in_per_second=1_500, shares=busy)
    return group


def recovering() -> ModelGroup:
    """Two workers were killed. One has restored, and works off what waited for it; the other is at it still."""
    group = _group()
    first, second = group.workers["node-b-0"], group.workers["node-c-0"]
    group.pass_time(400, in_per_second=400)
    first.reports = False
    group.pass_time(120, in_per_second=400)
    first.reports, first.endings, first.rebalances = True, {"killed": 1}, 3
    _restore(group, first, 61_000, 38_000)
    second.reports = False
    _restore(group, first, 12_500)
    first.phase, first.restore_remaining_records = "working", 0
    second.reports, second.endings, second.rebalances = True, {"killed": 2}, 3
    _restore(group, second, 64_000, 33_000, 9_800)
    return group


def broken() -> ModelGroup:
    """The brokers are gone, and with them the word of every worker but this one."""
    group = _group()
    group.pass_time(780, in_per_second=240)
    for _ in range(60):
        group.now_ms += 2_000
        group.monitor.take_failure("localhost:9092 refuses the connection", group.now_ms)
    return group


def deserted() -> ModelGroup:
    """Records wait, and no worker runs."""
    group = _group()
    group.pass_time(300, in_per_second=240)
    for worker in group.workers.values():
        worker.is_member = worker.reports = False
    group.state = "Empty"
    group.pass_time(620, in_per_second=240)
    return group


def empty() -> ModelGroup:
    """A group that has just begun, with nothing in its topics and nobody who has reported."""
    group = ModelGroup(GroupMonitor(APP_ID), START_MS, topics=TOPICS, partition_count=4, workers=MappingProxyType({}))
    group.pass_time(4, in_per_second=0)
    return group


def wide() -> ModelGroup:
    """A thousand partitions of each of three topics, and a record waiting in all of them."""
    places = [f"node-{number:02}-0" for number in range(20)]
    workers = {
        place: ModelWorker(range(number * 50, number * 50 + 50), capacity_per_second=400)
        for number, place in enumerate(places)
    }
    group = ModelGroup(GroupMonitor(APP_ID), START_MS, topics=TOPICS, partition_count=1_000, workers=workers)
    group.pass_time(60, in_per_second=30_000)
    return group


SCENES: Mapping[str, Callable[[], ModelGroup]] = MappingProxyType(
    {scene.__name__: scene for scene in (idle, up_to_date, behind, recovering, broken, deserted, empty, wide)}
)


def _group() -> ModelGroup:
    """Three workers on twelve partitions, with some history."""
    workers = {
        "node-a-0": ModelWorker(range(4), capacity_per_second=400, endings={"doubt": 1}),
        "node-b-0": ModelWorker(range(4, 8), capacity_per_second=400),
        "node-c-0": ModelWorker(range(8, 12), capacity_per_second=400),
    }
    group = ModelGroup(GroupMonitor(APP_ID), START_MS, topics=TOPICS, partition_count=12, workers=workers)
    group.codings = tuple(
        CodingCount(action, "G9603", instrument, payer, "420", max(1, count * weight // (10 * divisor)))
        for (instrument, count) in _INSTRUMENTS
        for payer, weight in zip(_PAYERS, (14, 22, 9, 31, 17, 4), strict=True)
        for action, divisor in (("new", 1), ("replace", 23), ("void", 71))
    )
    return group


def _restore(group: ModelGroup, worker: ModelWorker, *remaining: int) -> None:
    worker.phase = "restoring"
    for worker.restore_remaining_records in remaining:
        group.pass_time(14, in_per_second=400)


def _add_dead_letters(group: ModelGroup) -> None:
    group.dead_letters = {"not_json": 14, "unknown_instrument": 6, "invalid_time": 3}
    group.newest_dead_letters = tuple(
        DeadLetterSeen(topic, partition, offset, reason, detail, group.now_ms - age_ms)
        for topic, partition, offset, reason, detail, age_ms in (
            (
                "survey-completed",
                7,
                18_211,
                "not_json",
                "the value: Invalid JSON: EOF while parsing a string at line 1 column 512",
                260_000,
            ),
            (
                "treatment-recorded",
                1,
                9_120,
                "invalid_time",
                "performed_at: Input should be an RFC 3339 date-time with an offset",
                121_000,
            ),
            (
                "survey-completed",
                6,
                18_904,
                "unknown_instrument",
                "instrument: no such id in the registry; `g9603 schema instruments` lists those known.",
                64_000,
            ),
            (
                "survey-completed",
                7,
                18_950,
                "not_json",
                "the value: Invalid JSON: EOF while parsing a string at line 1 column 512",
                9_000,
            ),
        )
    )
