"""Puts what the brokers say and what the workers report together into one view of the group."""

from streams.monitoring.alerts import LAG_SECONDS_HIGH, alerts_of
from streams.monitoring.duration_text import duration_text
from streams.monitoring.group_view import GroupView, PartitionView
from streams.monitoring.history import HistoryColumn, LagHistory
from streams.monitoring.rate import Rate, catch_up_seconds
from streams.monitoring.reading import GroupReading
from streams.monitoring.verdict import Situation, cause_of, condition_of, sentence_of
from streams.monitoring.worker_report import WorkerReport
from streams.monitoring.workers_seen import WorkersSeen

_RATE_WINDOW_MS = 30_000


class GroupMonitor:
    """Takes readings and reports in as they come, and tells the view of any instant.

    Args:
        app_id: The group.
        lag_seconds_high: From this age of the oldest waiting record on the group counts as behind.
    """

    def __init__(self, app_id: str, *, lag_seconds_high: float = LAG_SECONDS_HIGH) -> None:
        self._app_id = app_id
        self._lag_seconds_high = lag_seconds_high
        self._in, self._out = Rate(_RATE_WINDOW_MS), Rate(_RATE_WINDOW_MS)
        self._workers = WorkersSeen()
        self._history = LagHistory()
        self._trouble: str | None = None
        self._troubled_since_ms = 0
        self.reading: GroupReading | None = None
        """The last one that the brokers gave."""

    @property
    def history(self) -> tuple[HistoryColumn, ...]:
        """The lag of the last quarter of an hour."""
        return self._history.columns

    @property
    def catch_up_seconds(self) -> float | None:
        """Until nothing waits; None where the lag does not shrink."""
        lag_records = self.reading.lag_records if self.reading is not None else 0
        return catch_up_seconds(lag_records, self._in.per_second, self._out.per_second)

    def take_reading(self, reading: GroupReading) -> None:
        """Take in what the brokers say now."""
        self.reading, self._trouble = reading, None
        self._in.take(reading.read_at_ms, sum(partition.end for partition in reading.partitions))
        self._out.take(reading.read_at_ms, sum(partition.read_to for partition in reading.partitions))
        self._history.take(reading, in_per_second=self._in.per_second, out_per_second=self._out.per_second)

    def take_failure(self, sentence: str, at_ms: int) -> None:
        """Take in that the brokers could not be asked; *sentence* says why."""
        if self._trouble is None:
            self._troubled_since_ms = at_ms
        self._trouble = sentence

    def take_report(self, report: WorkerReport) -> None:
        """Take in what a worker says of itself."""
        self._workers.take(report)

    def pages_url(self, place: str) -> str | None:
        """Where the pages of the worker in *place* are, as it last said; None where it did not."""
        return self._workers.pages_url(place)

    def view(self, now_ms: int) -> GroupView:
        """The group as of *now_ms*."""
        reading = self.reading
        members = reading.members if reading is not None else ()
        workers = self._workers.views(members, now_ms)
        owners = {partition: member.place for member in members for partition in member.partitions}
        partitions = tuple(
            PartitionView(p.topic, p.partition, p.lag_records, p.lag_seconds(now_ms), owners.get(p.partition))
            for p in (reading.partitions if reading is not None else ())
        )
        situation = Situation(
            partitions=partitions,
            workers=workers,
            member_count=len(members),
            group_state=reading.state if reading is not None else None,
            lag_records=reading.lag_records if reading is not None else 0,
            lag_seconds=max((p.lag_seconds for p in partitions), default=0.0),
            catch_up_seconds=self.catch_up_seconds,
            in_per_second=self._in.per_second,
            out_per_second=self._out.per_second,
            rates_known=self._out.is_known,
            broker_trouble=self._broker_trouble(now_ms),
            lag_seconds_high=self._lag_seconds_high,
        )
        return self._view(now_ms, situation)

    def _view(self, now_ms: int, situation: Situation) -> GroupView:
        seen = self._workers
        return GroupView(
            at_ms=now_ms,
            app_id=self._app_id,
            condition=condition_of(situation),
            sentence=sentence_of(situation),
            cause=cause_of(situation),
            broker_trouble=situation.broker_trouble,
            group_state=situation.group_state,
            lag_records=situation.lag_records,
            lag_seconds=situation.lag_seconds,
            lag_seconds_high=situation.lag_seconds_high,
            catch_up_seconds=situation.catch_up_seconds,
            in_per_second=situation.in_per_second if situation.rates_known else None,
            out_per_second=situation.out_per_second if situation.rates_known else None,
            latency=seen.latency(),
            partitions=tuple(situation.partitions),
            workers=tuple(situation.workers),
            dead_letters=seen.dead_letters(),
            newest_dead_letters=seen.newest_dead_letters(),
            codings=seen.codings(),
            alerts=alerts_of(situation, dead_letters_per_hour=seen.dead_letters_per_hour()),
        )

    def _broker_trouble(self, now_ms: int) -> str | None:
        if self._trouble is None:
            return None
        since = duration_text((now_ms - self._troubled_since_ms) / 1000)
        return f"The brokers cannot be asked ({self._trouble}), since {since}."
