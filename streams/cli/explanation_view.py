"""An explained episode as a person reads it on a terminal, from 80 columns on.

No meaning is carried by colour alone: each verdict is a word.
"""

from collections.abc import Iterator

from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.text import Text

from schemas.vocabulary import QualityDataCode
from streams.cli.explanation_tables import coding_event_table, fact_table, finding_table, rule_table
from streams.cli.plain_text import plain
from streams.domain.decision import Coded
from streams.explanation.episode import EpisodeExplanation

_DESCRIPTORS = {
    QualityDataCode.SCORE_IMPROVED: "patient survey score improved from baseline following treatment",
    QualityDataCode.SCORE_NOT_IMPROVED: "patient survey score did not improve from baseline following treatment",
    QualityDataCode.RESULTS_NOT_AVAILABLE: "patient survey results not available",
}
"""The long descriptors of HCPCS Level II."""
_STYLES = {QualityDataCode.SCORE_IMPROVED: "green", QualityDataCode.SCORE_NOT_IMPROVED: "yellow"}


def explanation_view(explanation: EpisodeExplanation) -> RenderableType:
    """The whole explanation: verdict, facts, findings, coding events, warnings."""
    return Group(
        _verdict(explanation),
        "",
        fact_table(explanation),
        *_findings(explanation),
        "",
        rule_table(explanation),
        *_coding_events(explanation),
        *(Text.assemble(("warning ", "bold yellow"), plain(warning)) for warning in explanation.warnings),
    )


def _verdict(explanation: EpisodeExplanation) -> Panel:
    decision = explanation.decision
    patients = sorted({explained.fact.patient_id for explained in explanation.facts})
    about = [f"patient {', '.join(patients)}", f"policy {' '.join(explanation.policy)}"]
    if isinstance(decision, Coded):
        style = _STYLES.get(decision.code, "")
        verdict = Text.assemble((decision.code, f"bold {style}"), " ", _DESCRIPTORS[decision.code])
        about.insert(1, f"service date {decision.served_at.local_date}")
    else:
        style = ""
        verdict = Text("not coded", style="bold")
    would_change = [Text(plain(explanation.would_change))] if explanation.would_change else []
    about_it = Text(plain(", ".join(about)), style="dim")
    body = Group(verdict, Text(plain(explanation.sentence)), *would_change, about_it)
    title = Text(plain(f"episode {explanation.episode_id}"))
    return Panel(body, title=title, title_align="left", border_style=style)


def _findings(explanation: EpisodeExplanation) -> Iterator[RenderableType]:
    if not explanation.findings:
        return
    yield ""
    yield finding_table(explanation)
    for explained in explanation.findings:
        yield Text.assemble((plain(f"{explained.scale}: "), "bold"), plain(explained.sentence))


def _coding_events(explanation: EpisodeExplanation) -> Iterator[RenderableType]:
    yield ""
    if explanation.events:
        yield coding_event_table(explanation)
    agreement = explanation.agreement
    word = ("agrees ", "bold green") if agreement.agrees else ("differs ", "bold yellow")
    yield Text.assemble(word, plain(agreement.sentence))
