"""The tables of an explained episode: its facts, what was found in them, and what billing was told."""

from datetime import date
from typing import Any

from rich.table import Table
from rich.text import Text

from schemas.vocabulary import CodingAction, RecordStatus, TreatmentCodeSystem
from streams.cli.plain_text import plain
from streams.domain.coding import decimal_text
from streams.domain.decision import Coded, Comparison, Finding
from streams.domain.fact import Fact, Survey
from streams.domain.missing import Stage
from streams.explanation.episode import EpisodeExplanation, FindingExplanation
from streams.explanation.facts import FactExplanation
from streams.explanation.parts import Role, Standing
from streams.explanation.sentences import is_compared, scale_name, score_text
from streams.explanation.verdicts import Verdict

_NOTHING = "-"
_EVENT_ID_SHOWN = 8
_NOT_CONTENT = ("event_id", "action", "revision", "prior_event_id", "decided_at")
_ROLE_STYLES = {
    Role.BASELINE: "cyan",
    Role.ANCHOR: "blue",
    Role.FOLLOW_UP: "yellow",
    Role.IMPROVED_FOLLOW_UP: "green",
}
_STANDING_STYLES = {Standing.SUPERSEDED: "dim", Standing.RETRACTED: "red", Standing.EXCLUDED: "magenta"}
_VERDICT_STYLES = {
    Verdict.MET: "green",
    Verdict.NOT_MET: "yellow",
    Verdict.NOT_REACHED: "dim",
    Verdict.ATTENTION: "bold yellow",
}
_ACTION_STYLES = {CodingAction.NEW: "green", CodingAction.REPLACE: "yellow", CodingAction.VOID: "red"}


# ---------------------------------------------------------------------------------------------
# Facts
# ---------------------------------------------------------------------------------------------
def fact_table(explanation: EpisodeExplanation) -> Table:
    """Every fact in clinical order: when it was, which record it is, and its part in the decision."""
    anchored_on = _anchored_on(explanation)
    days = "; days are from the anchor" if anchored_on is not None else ""
    table = _table(f"Facts, in clinical order{days}", "when", "fact", "score", "part", right=("score",))
    for explained in explanation.facts:
        score = score_text(explained.fact) if isinstance(explained.fact, Survey) else ""
        table.add_row(_when(explained.fact, anchored_on), _record(explained.fact), score, _part(explained))
    return table


def _anchored_on(explanation: EpisodeExplanation) -> date | None:
    if isinstance(explanation.decision, Coded):
        return explanation.decision.anchor.performed_at.local_date
    anchors = [explained.finding.anchor for explained in explanation.findings]
    return next((anchor.performed_at.local_date for anchor in anchors if anchor is not None), None)


def _when(fact: Fact, anchored_on: date | None) -> Text:
    at = fact.occurred_at.local
    days_after = (at.date() - anchored_on).days if anchored_on is not None else None
    day = "" if days_after is None else f"  day {days_after:+d}" if days_after else "  day 0"
    return Text.assemble(f"{at:%Y-%m-%d %H:%M}", "\n", (f"{at.isoformat()[-6:]}{day}", "dim"))


def _record(fact: Fact) -> Text:
    if isinstance(fact, Survey):
        kind = scale_name(fact.instrument, fact.instrument_version)
    else:
        system = f"{fact.code_system} " if fact.code_system is not TreatmentCodeSystem.HCPCS else ""
        kind = " ".join((f"{system}{fact.code}", *fact.modifiers))
    status = f" {fact.status}" if fact.status is not RecordStatus.COMPLETED else ""
    moved = f" from {fact.moved_from_episode_id}" if fact.moved_from_episode_id is not None else ""
    return Text.assemble(plain(kind), "\n", (plain(f"{fact.identity[1]} v{fact.version}{status}{moved}"), "dim"))


def _part(explained: FactExplanation) -> Text:
    part = explained.part
    if part.role is not None:
        word, style = part.role.value, _ROLE_STYLES[part.role]
    elif part.standing is not Standing.COUNTS:
        word, style = part.standing.value, _STANDING_STYLES[part.standing]
    else:
        word, style = "not used" if isinstance(explained.fact, Survey) else "qualifies", ""
    contested = (", contested", "bold yellow") if explained.contested else ""
    return Text.assemble((word, style), contested, "\n", (plain(part.why), "dim"))


# ---------------------------------------------------------------------------------------------
# Findings
# ---------------------------------------------------------------------------------------------
def finding_table(explanation: EpisodeExplanation) -> Table:
    """A row for each follow-up on each instrument; one without a follow-up says how far it came."""
    numbers = ("baseline", "follow-up", "change", "needed")
    table = _table("Findings, by instrument", "instrument", "anchor", *numbers, "verdict", right=numbers)
    for explained in explanation.findings:
        start = _start(explained)
        for comparison in explained.finding.comparisons:
            table.add_row(*start, *_comparison(comparison))
        if not explained.finding.comparisons:
            table.add_row(*start, _NOTHING, _NOTHING, _NOTHING, _how_far(explained.finding))
    return table


def _start(explained: FindingExplanation) -> tuple[Text, Text, str]:
    finding = explained.finding
    program = f"\nprogram {finding.program.id}" if finding.program is not None else ""
    return (
        Text.assemble(plain(explained.scale), (plain(program), "dim")),
        Text(plain(finding.anchor.treatment_id) if finding.anchor is not None else _NOTHING),
        score_text(finding.baseline) if finding.baseline is not None else _NOTHING,
    )


def _comparison(comparison: Comparison) -> tuple[str, str, str, Text]:
    threshold = comparison.threshold
    needed = "none known" if threshold is None else decimal_text(threshold) if threshold else "any"
    verdict = Text("improved", "green") if comparison.improved else Text("not improved", "yellow")
    return score_text(comparison.follow_up), _signed(decimal_text(comparison.change)), needed, verdict


def _how_far(finding: Finding) -> str:
    if finding.missing is None or finding.missing.stage is Stage.SURVEY:
        return "not in policy"
    return f"no {finding.missing.stage}"


# ---------------------------------------------------------------------------------------------
# Rules
# ---------------------------------------------------------------------------------------------
def rule_table(explanation: EpisodeExplanation) -> Table:
    """Each rule that the decision came to, of the instrument that it rests on."""
    table = _table("Rules", "rule", "verdict", "why")
    for told in explanation.rules:
        table.add_row(told.rule, Text(told.verdict, _VERDICT_STYLES[told.verdict]), plain(told.sentence))
    return table


# ---------------------------------------------------------------------------------------------
# Coding events
# ---------------------------------------------------------------------------------------------
def coding_event_table(explanation: EpisodeExplanation) -> Table:
    """What billing was told, and for each replacement, what it says otherwise."""
    columns = ("revision", "action", "code", "change", "channel", "event id", "decided at")
    table = _table("Coding events, as billing was told", *columns, right=("revision", "change"))
    prior: dict[str, Any] = {}
    for event in explanation.events:
        action = CodingAction(event["action"])
        otherwise = _otherwise(event, prior) if action is CodingAction.REPLACE else ""
        table.add_row(
            str(event["revision"]),
            Text(action.value, style=_ACTION_STYLES[action]),
            event["code"],
            _signed(event["change"]) if is_compared(event) else _NOTHING,
            event["channel"],
            event["event_id"][:_EVENT_ID_SHOWN],
            Text.assemble(event["decided_at"], (otherwise, "dim")),
        )
        prior = event
    return table


def _otherwise(event: dict[str, Any], prior: dict[str, Any]) -> str:
    names = [name for name in event if name not in _NOT_CONTENT and event[name] != prior[name]]
    return f"\nother {', '.join(names)}"


def _signed(number: str) -> str:
    return number if number == "0" or number.startswith("-") else f"+{number}"


def _table(title: str, *columns: str, right: tuple[str, ...] = ()) -> Table:
    table = Table(title=title, title_justify="left", title_style="bold", box=None, header_style="dim", pad_edge=False)
    for column in columns:
        # An id of any length is broken over lines, never cut: somebody may search for it.
        table.add_column(column, overflow="fold", justify="right" if column in right else "left")
    return table
