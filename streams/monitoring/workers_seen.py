"""Who works, by the reports and by the group, and what all of them together have done."""

from collections import Counter, deque
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from streams.monitoring.group_view import LatencyView, WorkerView
from streams.monitoring.percentile import percentile
from streams.monitoring.rate import Rate
from streams.monitoring.reading import MemberReading
from streams.monitoring.worker_report import NEWEST_DEAD_LETTERS_MAX, CodingCount, DeadLetterSeen, WorkerReport

SILENT_MS = 8_000
"""Four reports that did not come, or one late and two that did not."""
FORGOTTEN_MS = 600_000
"""For so long is a worker shown that is no member any more and says nothing."""
STOPPED = "stopped"
_WINDOW_MS = 300_000
_RATE_WINDOW_MS = 10_000
_MS_PER_HOUR = 3_600_000

_Kind = tuple[str, str, str, str, str]


class _Totals(NamedTuple):
    """What all runs together have done by some instant."""

    at_ms: int
    latency: tuple[int, ...]
    dead_letters: int


class WorkersSeen:
    """The latest report of each place; what former runs have done is kept as a sum."""

    def __init__(self) -> None:
        self._latest: dict[str, WorkerReport] = {}
        self._rates: dict[str, Rate] = {}
        self._past_dead_letters: Counter[str] = Counter()
        self._past_codings: Counter[_Kind] = Counter()
        self._past_latency: Counter[int] = Counter()
        self._totals: deque[_Totals] = deque()
        self._newest: dict[tuple[str, int, int], DeadLetterSeen] = {}

    def take(self, report: WorkerReport) -> None:
        """Take in a report; one that is older than what is known of its place says nothing."""
        last = self._latest.get(report.place)
        if last is not None and (report.started_at_ms, report.told_at_ms) <= (last.started_at_ms, last.told_at_ms):
            return
        if last is not None and last.started_at_ms != report.started_at_ms:
            self._keep(last)
        self._latest[report.place] = report
        self._rates.setdefault(report.place, Rate(_RATE_WINDOW_MS)).take(report.told_at_ms, report.records)
        for letter in report.newest_dead_letters:
            self._newest[letter.topic, letter.partition, letter.offset] = letter
        newest = sorted(self._newest.items(), key=lambda item: item[1].timestamp_ms)[-NEWEST_DEAD_LETTERS_MAX:]
        self._newest = dict(newest)
        self._note_totals(report.told_at_ms)

    def _keep(self, ended: WorkerReport) -> None:
        self._past_dead_letters.update(ended.dead_letters)
        self._past_codings.update(_counted(ended.codings))
        self._past_latency.update(dict(enumerate(ended.latency_counts)))

    def _note_totals(self, at_ms: int) -> None:
        totals = _Totals(at_ms, self._latency_counts(), sum(self.dead_letters().values()))
        while self._totals and self._totals[0].at_ms < at_ms - _WINDOW_MS:
            self._totals.popleft()
        self._totals.append(totals)

    def _latency_counts(self) -> tuple[int, ...]:
        counts = Counter(self._past_latency)
        for report in self._latest.values():
            counts.update(dict(enumerate(report.latency_counts)))
        return tuple(counts[place] for place in range(max(counts, default=-1) + 1))

    def pages_url(self, place: str) -> str | None:
        """Where the pages of the worker in *place* are, as it last said."""
        report = self._latest.get(place)
        return report.pages_url if report is not None else None

    def latency(self) -> LatencyView:
        """Percentiles of the last minutes."""
        bounds = next((r.latency_bounds_seconds for r in self._latest.values() if r.latency_bounds_seconds), ())
        if not self._totals:
            return LatencyView(None, None, None)
        before, now = self._totals[0].latency, self._totals[-1].latency
        before += (0,) * (len(now) - len(before))
        counts = [last - first for first, last in zip(before, now, strict=False)]
        return LatencyView(*(percentile(bounds, counts, share) for share in (0.5, 0.95, 0.99)))

    def dead_letters(self) -> dict[str, int]:
        """By reason, since the first report that was seen."""
        counts = Counter(self._past_dead_letters)
        for report in self._latest.values():
            counts.update(report.dead_letters)
        return dict(counts.most_common())

    def dead_letters_per_hour(self) -> float:
        """How many an hour the last minutes brought."""
        if not self._totals:
            return 0.0
        first, last = self._totals[0], self._totals[-1]
        elapsed_ms = last.at_ms - first.at_ms
        return (last.dead_letters - first.dead_letters) * _MS_PER_HOUR / elapsed_ms if elapsed_ms else 0.0

    def newest_dead_letters(self) -> tuple[DeadLetterSeen, ...]:
        """The newest first."""
        return tuple(reversed(self._newest.values()))

    def codings(self) -> tuple[CodingCount, ...]:
        """Coding events by kind, the most frequent first."""
        counts = Counter(self._past_codings)
        for report in self._latest.values():
            counts.update(_counted(report.codings))
        return tuple(CodingCount(*kind, count) for kind, count in counts.most_common())

    def views(self, members: Sequence[MemberReading], now_ms: int) -> tuple[WorkerView, ...]:
        """Every member, and whoever has reported lately, by place."""
        by_place = {member.place: member for member in members}
        reported = {p for p, report in self._latest.items() if p in by_place or _lately(report, now_ms)}
        return tuple(self._view(place, by_place.get(place), now_ms) for place in sorted(reported | set(by_place)))

    def _view(self, place: str, member: MemberReading | None, now_ms: int) -> WorkerView:
        report = self._latest.get(place)
        host = member.host if member is not None else None
        if report is None:
            partitions = member.partitions if member is not None else ()
            return WorkerView(place, host, "unknown", None, partitions)
        silent_ms = max(0, now_ms - report.told_at_ms)
        is_silent = silent_ms > SILENT_MS and report.phase != STOPPED
        return WorkerView(
            place=place,
            host=host,
            phase="silent" if is_silent else report.phase,
            silent_seconds=silent_ms / 1000,
            partitions=report.partitions if member is None else member.partitions,
            records_per_second=0.0 if is_silent else self._rates[place].per_second,
            episodes=report.episodes,
            episode_bytes=report.episode_bytes,
            resident_bytes=report.resident_bytes,
            restore_remaining_records=report.restore_remaining_records,
            rebalances=report.rebalances,
            build=report.build,
            policy=f"{report.policy} {report.policy_version}",
            endings=report.endings,
            trouble=report.trouble,
        )


def _lately(report: WorkerReport, now_ms: int) -> bool:
    return now_ms - report.told_at_ms < (SILENT_MS if report.phase == STOPPED else FORGOTTEN_MS)


def _counted(codings: Iterable[CodingCount]) -> dict[_Kind, int]:
    return {(c.action, c.code, c.instrument, c.payer, c.program): c.count for c in codings}
