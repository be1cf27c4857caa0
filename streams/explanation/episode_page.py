"""An explained episode as one HTML page: the verdict, the picture, each rule, and all that was sent and told."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any
from xml.etree.ElementTree import Element

from schemas.vocabulary import CodingAction, RecordStatus
from streams.documents.elements import Child, element, html_text
from streams.documents.page import page, picture
from streams.domain.decision import Coded
from streams.domain.fact import Survey
from streams.domain.policy import Policy
from streams.explanation.episode import EpisodeExplanation, FindingExplanation
from streams.explanation.facts import FactExplanation
from streams.explanation.sentences import is_compared, scale_name, score_text, scores_text
from streams.explanation.timeline import timeline
from streams.explanation.timeline_geometry import WIDTH, TimeAxis
from streams.explanation.verdicts import RuleVerdict, Verdict

_MARKS = {Verdict.MET: "✓", Verdict.NOT_MET: "✗", Verdict.NOT_REACHED: "…", Verdict.ATTENTION: "!"}
_BOX_WIDTH, _BOX_GAP, _BOX_HEIGHT = 190, 34, 64
_BOXES_A_LINE = 5


def episode_page(explanation: EpisodeExplanation, policy: Policy) -> str:
    """The page. It shows all that is known of a patient's episode.

    Args:
        explanation: What there is to say.
        policy: What it was explained by.
    """
    title = f"Episode {explanation.episode_id}"
    return html_text(
        page(
            title,
            element("h1", title),
            element("p", ", ".join(_about(explanation)), class_="dim"),
            _verdict(explanation),
            *_pictures(explanation, policy),
            *_rules("Rules", "Each rule that the decision came to, and its verdict.", explanation.rules),
            *_coding_events(explanation),
            *_facts(explanation.facts),
            *_other_findings(explanation),
            *_warnings(explanation.warnings),
        )
    )


def _about(explanation: EpisodeExplanation) -> list[str]:
    survivors = explanation.survivors
    patients = {survivors.get(told.fact.patient_id, told.fact.patient_id) for told in explanation.facts}
    merged = f" (merged with {', '.join(survivors)})" if survivors else ""
    about = [f"patient {', '.join(sorted(patients))}{merged}", f"policy {' '.join(explanation.policy)}"]
    if isinstance(explanation.decision, Coded):
        about.insert(1, f"service date {explanation.decision.served_at.local_date}")
    return about


def _verdict(explanation: EpisodeExplanation) -> Element:
    decision = explanation.decision
    is_coded = isinstance(decision, Coded)
    told = decision.code.value if isinstance(decision, Coded) else "Not coded"
    agreement = explanation.agreement
    return element(
        "div",
        element("p", element("strong", told)),
        element("p", explanation.sentence),
        element("p", explanation.would_change) if explanation.would_change else None,
        *(element("p", rule.sentence) for rule in explanation.rules if rule.verdict is Verdict.ATTENTION),
        element("p", agreement.sentence, class_="dim" if agreement.agrees else None),
        class_=f"verdict {'good' if is_coded else 'bad'}",
    )


# ---------------------------------------------------------------------------------------------
# Pictures
# ---------------------------------------------------------------------------------------------
def _pictures(explanation: EpisodeExplanation, policy: Policy) -> Iterator[Child]:
    if not explanation.facts:
        return
    axis = TimeAxis.of(explanation.facts)
    for number, told in enumerate(explanation.findings):
        instrument = policy.instruments.get(told.finding.instrument)
        drawn, height = timeline(told.finding, instrument, explanation.facts, axis)
        name = instrument.name if instrument is not None else told.finding.instrument
        yield element("h2", f"{told.scale}: {name}")
        yield element("p", told.sentence)
        yield picture(f"timeline-{number}", _description(told, explanation.facts), WIDTH, height, *drawn)


def _description(told: FindingExplanation, facts: Sequence[FactExplanation]) -> str:
    finding = told.finding
    surveys = [
        f"{score_text(f.fact)} on {f.fact.completed_at.local_date} ({f.part.role or f.part.standing})"
        for f in facts
        if isinstance(f.fact, Survey)
        and (f.fact.instrument, f.fact.instrument_version) == (finding.instrument, finding.instrument_version)
    ]
    anchor = finding.anchor
    anchored = f"Anchor {anchor.code} on {anchor.performed_at.local_date}." if anchor is not None else "No anchor."
    scores = f"Scores of {told.scale} over time: {', '.join(surveys)}."
    return f"{scores} {anchored} {told.sentence} The tables below say all of it."


def _coding_events(explanation: EpisodeExplanation) -> Iterator[Child]:
    yield element("h2", "What billing was told")
    if not explanation.events:
        yield element("p", explanation.agreement.sentence)
        return
    yield _events_picture(explanation.events)
    heads = ("revision", "action", "code", "change", "payer_id", "channel", "decided_at", "event_id")
    rows = [[_told(event, name) for name in heads] for event in explanation.events]
    yield _table("Coding events, oldest first.", [name.replace("_", " ") for name in heads], rows)


def _told(event: dict[str, Any], name: str) -> str:
    if name == "change" and not is_compared(event):
        return "no follow-up"
    return "not told" if event[name] is None else str(event[name])


def _events_picture(events: Sequence[dict[str, Any]]) -> Element:
    """Each event as a box, an arrow from the one that it follows on."""
    lines = -(-len(events) // _BOXES_A_LINE)
    drawn = [part for number, event in enumerate(events) for part in _box(number, event)]
    told = ", then ".join(f"revision {e['revision']} {e['action']} {e['code']}" for e in events)
    width = min(len(events), _BOXES_A_LINE) * (_BOX_WIDTH + _BOX_GAP)
    return picture("coding-events", f"Coding events: {told}.", width, lines * (_BOX_HEIGHT + 16), *drawn)


_ACTION_STYLES = {CodingAction.NEW: "green", CodingAction.REPLACE: "orange", CodingAction.VOID: "red"}


def _box(number: int, event: dict[str, Any]) -> Iterator[Child]:
    line, place = divmod(number, _BOXES_A_LINE)
    x, y = 4 + place * (_BOX_WIDTH + _BOX_GAP), 6 + line * (_BOX_HEIGHT + 16)
    style = _ACTION_STYLES[CodingAction(event["action"])]
    if place:
        middle = y + _BOX_HEIGHT / 2
        yield element("path", d=f"M{x - _BOX_GAP + 3} {middle}h{_BOX_GAP - 8}m-6 -5l6 5l-6 5", class_="grey line")
    box = {"x": x, "y": y, "width": _BOX_WIDTH, "height": _BOX_HEIGHT, "rx": 6}
    dashed = " dashed" if event["action"] == CodingAction.VOID else ""
    yield element("rect", class_=f"{style} line{dashed}", **box)
    yield element("text", f"{event['revision']}  {event['action']} {event['code']}", x=x + 10, y=y + 20, class_=style)
    yield element("text", scores_text(event), x=x + 10, y=y + 38, class_="small")
    told = f"{event['channel']}, {event['decided_at'][:10]}"
    yield element("text", told, x=x + 10, y=y + 54, class_="small faint")


# ---------------------------------------------------------------------------------------------
# Tables
# ---------------------------------------------------------------------------------------------
def _rules(heading: str, caption: str, rules: Iterable[RuleVerdict]) -> Iterator[Child]:
    yield element("h2", heading)
    rows = [[f"{_MARKS[r.verdict]} {r.verdict}", r.rule, r.sentence] for r in rules]
    yield _table(caption, ("verdict", "rule", "why"), rows)


def _other_findings(explanation: EpisodeExplanation) -> Iterator[Child]:
    for told in explanation.findings:
        if len(explanation.findings) > 1:
            yield from _rules(f"Rules on {told.scale}", f"The verdict of each stage on {told.scale}.", told.rules)


def _facts(facts: Sequence[FactExplanation]) -> Iterator[Child]:
    yield element("h2", "What was sent")
    heads = ("when", "what", "score", "record", "part", "why")
    yield _table("Every fact in clinical order.", heads, [_fact(told) for told in facts])


def _fact(told: FactExplanation) -> list[str]:
    fact = told.fact
    if isinstance(fact, Survey):
        what, score = scale_name(fact.instrument, fact.instrument_version), score_text(fact)
    else:
        what, score = " ".join((fact.code, *fact.modifiers)), ""
    status = "" if fact.status is RecordStatus.COMPLETED else f", {fact.status}"
    moved = f", moved here from {fact.moved_from_episode_id}" if fact.moved_from_episode_id is not None else ""
    part = told.part.role or told.part.standing
    contested = ", contested" if told.contested else ""
    return [
        f"{fact.occurred_at.local:%Y-%m-%d %H:%M %z}",
        what,
        score,
        f"{fact.identity[1]} version {fact.version}{status}{moved}",
        f"{part}{contested}",
        told.part.why,
    ]


def _warnings(warnings: Sequence[str]) -> Iterator[Child]:
    if warnings:
        yield element("h2", "What its senders should mend")
        yield element("ul", *(element("li", warning) for warning in warnings))


def _table(caption: str, heads: Sequence[str], rows: Iterable[Sequence[str]]) -> Element:
    head = element("tr", *(element("th", name, scope="col") for name in heads))
    body = [element("tr", *(element("td", text) for text in row)) for row in rows]
    table = element("table", element("caption", caption), element("thead", head), element("tbody", *body))
    return element("div", table, class_="scroll", tabindex="0", role="region", aria_label=caption)
