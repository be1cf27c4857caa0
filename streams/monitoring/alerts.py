"""Which alerts would fire now? The ones of ``deploy/prometheus/alerts.yml`` that one look can judge.

Prometheus waits before it fires, and sees burn rates; the page says what is true at this moment. The names, and the
headings of the runbook, are the same (``tests/unit/test_alerts.py``).
"""

from collections.abc import Iterator, Sequence

from streams.monitoring.duration_text import duration_text, records_text
from streams.monitoring.group_view import AlertView, WorkerView
from streams.monitoring.verdict import Situation

LAG_SECONDS_HIGH = 60.0
"""From this age of the oldest waiting record on the group counts as behind, where nothing else is set."""


def alerts_of(situation: Situation, *, dead_letters_per_hour: float) -> tuple[AlertView, ...]:
    """What would fire, the worst first."""
    return (*_of_the_group(situation), *_of_workers(situation.workers), *_of_letters(dead_letters_per_hour))


def _of_the_group(situation: Situation) -> Iterator[AlertView]:
    if situation.broker_trouble is not None:
        yield _alert("G9603LagUnknown", "critical", situation.broker_trouble)
        return
    if situation.group_state is not None and situation.member_count == 0:
        yield _alert("G9603NoMembers", "critical", "The group has no member: nothing is coded.")
    if situation.lag_seconds >= situation.lag_seconds_high:
        waits = f"{records_text(situation.lag_records)}, the oldest for {duration_text(situation.lag_seconds)}"
        if situation.rates_known and situation.out_per_second == 0:
            yield _alert("G9603Stalled", "critical", f"Records wait and none is committed: {waits}.")
        yield _alert("G9603LagHigh", "warning", f"The group is behind: {waits}.")


def _of_workers(workers: Sequence[WorkerView]) -> Iterator[AlertView]:
    for worker in workers:
        if worker.phase == "silent":
            silence = duration_text(worker.silent_seconds or 0.0)
            yield _alert("G9603WorkerDown", "critical", f"{worker.place} has not reported for {silence}.")
        if worker.trouble is not None:
            yield _alert("G9603WatchdogWaiting", "warning", f"{worker.place}: {worker.trouble}")
    rules = {worker.policy for worker in workers if worker.policy is not None}
    if len(rules) > 1:
        yield _alert(
            "G9603PolicyMixed", "critical", f"The workers code by different policies: {', '.join(sorted(rules))}."
        )


def _of_letters(per_hour: float) -> Iterator[AlertView]:
    if per_hour > 0:
        yield _alert("G9603DeadLetters", "warning", f"{per_hour:,.0f} records an hour cannot be taken in.")


def _alert(name: str, severity: str, sentence: str) -> AlertView:
    return AlertView(name, severity, sentence, runbook=name)
