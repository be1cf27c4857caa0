"""The end of the demonstration: what came out, and whether an independent recount agrees."""

from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from streams.demo.progress import DemoProgress
from streams.demo.stage import Outcome

_FAULTS_SHOWN_MAX = 10


def outcome_json(progress: DemoProgress, outcome: Outcome) -> dict[str, Any]:
    """The reconciliation, for scripts."""
    recount = outcome.recount
    return {
        "sent": {"records": progress.sent_count, "by_kind": dict(progress.sent)},
        "read": {"records": recount.record_count, "episodes": recount.episode_count},
        "coding_events": dict(recount.actions),
        "codes_held": recount.code_count - len(recount.missing) + len(recount.extra),
        "codes_recounted": recount.code_count,
        "missing": list(recount.missing),
        "extra": list(recount.extra),
        "different": list(recount.different),
        "event_faults": list(recount.event_faults),
        "dead_letters": dict(recount.dead_letters),
        "dead_letter_faults": list(recount.dead_letter_faults),
        "notes": progress.notes,
        "exit_codes": outcome.exit_codes,
        "agrees": agrees(progress, outcome),
    }


def agrees(progress: DemoProgress, outcome: Outcome) -> bool:
    """Whether everything that was sent is accounted for, to the last event."""
    return outcome.recount.agrees and outcome.recount.record_count == progress.sent_count


def outcome_report(progress: DemoProgress, outcome: Outcome) -> RenderableType:
    """The reconciliation, for people."""
    recount = outcome.recount
    table = Table.grid(padding=(0, 3))
    kinds = ", ".join(f"{count} {kind}" for kind, count in progress.sent.most_common())
    table.add_row("sent", f"{progress.sent_count} records", kinds)
    actions = ", ".join(f"{recount.actions.get(action, 0)} {action}" for action in ("new", "replace", "void"))
    table.add_row("published", f"{sum(recount.actions.values())} coding events", actions)
    payers = ", ".join(f"{count} {payer}" for payer, count in progress.codes_by_payer.most_common(8))
    table.add_row("", "by payer", payers)
    reasons = ", ".join(f"{count} {reason}" for reason, count in sorted(recount.dead_letters.items()))
    table.add_row("dead letters", f"{sum(recount.dead_letters.values())} records", reasons or "none")
    table.add_row(
        "recount",
        f"{recount.code_count} codes",
        f"earned by {recount.episode_count} episodes; {len(recount.missing)} missing, {len(recount.extra)} extra, "
        f"{len(recount.different)} different, {len(recount.event_faults)} events out of order or twice",
    )
    return Group(Text("What became of it", style="bold"), table, _verdict(progress, outcome))


def _verdict(progress: DemoProgress, outcome: Outcome) -> RenderableType:
    if agrees(progress, outcome):
        sentence = (
            "The recount agrees to the last event: every code is held once, every record is accounted for, "
            "though a worker was killed."
        )
        return Text(sentence, style="bold green")
    recount = outcome.recount
    faults = [
        *(f"missing: {episode}" for episode in recount.missing),
        *(f"extra: {episode}" for episode in recount.extra),
        *(f"different: {episode}" for episode in recount.different),
        *recount.event_faults,
        *recount.dead_letter_faults,
    ]
    if recount.record_count != progress.sent_count:
        faults.insert(0, f"{progress.sent_count} records were sent, and {recount.record_count} are in the topics")
    shown = [*faults[:_FAULTS_SHOWN_MAX], *(["..."] if len(faults) > _FAULTS_SHOWN_MAX else [])]
    return Text("\n".join(["The recount does not agree:", *shown]), style="bold red")
