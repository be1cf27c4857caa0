"""Which alerts would fire now? The ones of ``deploy/prometheus/rules/alerts.yml`` that one look can judge.

Prometheus waits before it fires, and sees burn rates; the page says what is true at this moment. The names, and the
headings of the runbook, are the same (``tests/deploy/test_prometheus.py``).
"""

from collections.abc import Iterator, Sequence

from streams.monitoring.duration_text import duration_text, records_text
from streams.monitoring.group_view import AlertView, WorkerView
from streams.monitoring.verdict import Situation

LAG_SECONDS_HIGH = 60.0
"""From this age of the oldest waiting record on the group counts as behind, where nothing else is set."""

FIRST_STEPS = {
    "G9603LagUnknown": "Look whether the brokers run, and whether they can be reached from here.",
    "G9603NoWorkers": "Start a worker. If none stays, the last line of its log says why it ended.",
    "G9603PartitionStalled": "Look for a worker that is silent, waits or restores, and at the last lines of its log.",
    "G9603LagBudgetBurnsFast": "See the cause. If more comes in than goes out, add workers, up to one a partition.",
    "G9603WorkerDown": "Look at its supervisor and the last line of its log. Others take over what it had.",
    "G9603WorkerStuck": "Wait: a worker that stays stuck is ended. Keep the stacks that it logs.",
    "G9603RulesDiffer": "End the rollout: until all have one policy, codes depend on who has the partition.",
    "G9603DeadLettersRise": "Look at the newest: one source or one reason means that a producer has changed.",
}
"""What to do first, by alert: the line that stands beside it, here and in the runbook."""


def alerts_of(situation: Situation, *, dead_letters_per_hour: float) -> tuple[AlertView, ...]:
    """What would fire, the worst first."""
    alerts = (*_of_the_group(situation), *_of_workers(situation.workers), *_of_letters(dead_letters_per_hour))
    return tuple(sorted(alerts, key=lambda alert: alert.severity != "critical"))


def _of_the_group(situation: Situation) -> Iterator[AlertView]:
    if situation.broker_trouble is not None:
        yield _alert("G9603LagUnknown", "critical", situation.broker_trouble)
        return
    if situation.group_state is not None and situation.member_count == 0:
        yield _alert("G9603NoWorkers", "critical", "The group has no member: nothing is coded.")
    if situation.lag_seconds >= situation.lag_seconds_high:
        waits = f"{records_text(situation.lag_records)}, the oldest for {duration_text(situation.lag_seconds)}"
        if situation.rates_known and situation.out_per_second == 0:
            yield _alert("G9603PartitionStalled", "critical", f"Records wait and none is committed: {waits}.")
        yield _alert("G9603LagBudgetBurnsFast", "warning", f"The group is behind: {waits}.")


def _of_workers(workers: Sequence[WorkerView]) -> Iterator[AlertView]:
    for worker in workers:
        if worker.phase == "silent":
            silence = duration_text(worker.silent_seconds or 0.0)
            yield _alert("G9603WorkerDown", "critical", f"{worker.place} has not reported for {silence}.")
        if worker.trouble is not None:
            yield _alert("G9603WorkerStuck", "warning", f"{worker.place}: {worker.trouble}")
    rules = {worker.policy for worker in workers if worker.policy is not None}
    if len(rules) > 1:
        yield _alert(
            "G9603RulesDiffer", "critical", f"The workers code by different policies: {', '.join(sorted(rules))}."
        )


def _of_letters(per_hour: float) -> Iterator[AlertView]:
    if per_hour > 0:
        yield _alert("G9603DeadLettersRise", "warning", f"{per_hour:,.0f} records an hour cannot be taken in.")


def _alert(name: str, severity: str, sentence: str) -> AlertView:
    return AlertView(name, severity, sentence, first_step=FIRST_STEPS[name], runbook=name)
