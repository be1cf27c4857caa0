"""Are we behind, by how much, why, and until when? The sentences at the top of the page."""

from collections.abc import Sequence
from typing import NamedTuple

from streams.monitoring.duration_text import duration_text, records_text
from streams.monitoring.group_view import Condition, PartitionView, WorkerView

_HOT_SHARE = 0.8
_HOT_PARTITIONS_MIN = 3


class Situation(NamedTuple):
    """What the verdict rests on."""

    partitions: Sequence[PartitionView]
    workers: Sequence[WorkerView]
    member_count: int
    group_state: str | None
    lag_records: int
    lag_seconds: float
    catch_up_seconds: float | None
    in_per_second: float
    out_per_second: float
    rates_known: bool
    """False at first: nothing can be said of what comes and goes yet."""
    broker_trouble: str | None
    lag_seconds_high: float
    """From which on the group counts as behind."""


def condition_of(situation: Situation) -> Condition:
    """How the group is, in a word."""
    if situation.broker_trouble is not None or situation.group_state is None or situation.member_count == 0:
        return Condition.BROKEN
    if situation.lag_seconds >= situation.lag_seconds_high:
        shrinks = situation.catch_up_seconds is not None and situation.out_per_second > 0
        return Condition.RECOVERING if shrinks else Condition.BEHIND
    if situation.rates_known and situation.lag_records == 0 and situation.in_per_second == 0:
        return Condition.IDLE
    return Condition.UP_TO_DATE


def sentence_of(situation: Situation) -> str:
    """Behind or not, by how much, until when."""
    if situation.broker_trouble is not None:
        return f"{situation.broker_trouble} What is shown is as of then."
    if situation.group_state is None:
        return "The brokers have not been asked yet."
    waits = f"{records_text(situation.lag_records)} wait{'s' if situation.lag_records == 1 else ''}"
    oldest = f"the oldest for {duration_text(situation.lag_seconds)}"
    if situation.member_count == 0:
        return f"No worker runs. {waits}, {oldest}." if situation.lag_records else "No worker runs. Nothing waits."
    match condition_of(situation):
        case Condition.IDLE:
            return "Nothing waits, and nothing comes in."
        case Condition.UP_TO_DATE:
            return f"Up to date: {waits}, {oldest}." if situation.lag_records else "Up to date: nothing waits."
        case _:
            return f"Behind by {duration_text(situation.lag_seconds)}: {waits}.{_until(situation)}"


def _until(situation: Situation) -> str:
    if not situation.rates_known:
        return ""
    if situation.catch_up_seconds is not None:
        return f" Caught up in about {duration_text(situation.catch_up_seconds)}."
    if situation.out_per_second == 0:
        return " Nothing is worked off."
    return (
        f" The lag does not shrink: {situation.in_per_second:,.0f} records come in each second, "
        f"{situation.out_per_second:,.0f} are worked off."
    )


def cause_of(situation: Situation) -> str | None:
    """Why records wait, as far as can be told; the most telling cause first."""
    if situation.lag_seconds < situation.lag_seconds_high or situation.broker_trouble is not None:
        return None
    if situation.member_count == 0:
        return "The group has no member: start a worker."
    return _worker_cause(situation.workers) or _group_cause(situation) or _load_cause(situation)


def _worker_cause(workers: Sequence[WorkerView]) -> str | None:
    silent = [worker.place for worker in workers if worker.phase == "silent"]
    if silent:
        return f"{', '.join(silent)} {'does' if len(silent) == 1 else 'do'} not report: stuck, cut off or killed."
    restoring = [worker for worker in workers if worker.phase == "restoring"]
    if not restoring:
        return None
    remaining = records_text(sum(worker.restore_remaining_records for worker in restoring))
    names = ", ".join(worker.place for worker in restoring)
    return f"{names} restore{'s' if len(restoring) == 1 else ''} episodes: {remaining} to go."


def _group_cause(situation: Situation) -> str | None:
    if situation.group_state != "Stable":
        return f"The group rebalances ({situation.group_state})."
    unowned = sum(1 for p in situation.partitions if p.lag_records and p.worker is None)
    if unowned == 1:
        return "1 partition with waiting records belongs to no worker."
    return f"{unowned} partitions with waiting records belong to no worker." if unowned else None


def _load_cause(situation: Situation) -> str | None:
    waiting = sorted((p.lag_records for p in situation.partitions if p.lag_records), reverse=True)
    fullest = max(situation.partitions, key=lambda p: p.lag_records, default=None)
    if fullest is None:
        return None
    if len(situation.partitions) >= _HOT_PARTITIONS_MIN and waiting[0] > _HOT_SHARE * situation.lag_records:
        return f"Most of it waits in one partition, {fullest.topic}-{fullest.partition}."
    if situation.catch_up_seconds is None and situation.in_per_second > 0:
        count = len(situation.workers)
        work = "1 worker works" if count == 1 else f"{count} workers work"
        return f"More comes in than {work} off: add workers, up to one a partition."
    return None
