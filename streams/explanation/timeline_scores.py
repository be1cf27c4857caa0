"""The scores in the picture of an episode: the scale, what was to be reached, and each survey."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple
from xml.etree.ElementTree import Element

from streams.documents.elements import Child, element
from streams.domain.coding import decimal_text
from streams.domain.decision import Finding
from streams.domain.fact import Survey
from streams.domain.instrument import Instrument
from streams.explanation.facts import FactExplanation
from streams.explanation.parts import Role, Standing
from streams.explanation.sentences import better, scale_name, score_text
from streams.explanation.timeline_geometry import LEFT, PLOT_HEIGHT, RIGHT, WIDTH, Labels, Scale, TimeAxis

_STYLES = {Role.BASELINE: "blue", Role.FOLLOW_UP: "orange", Role.IMPROVED_FOLLOW_UP: "green"}


class _Plot(NamedTuple):
    """What is drawn, and where."""

    finding: Finding
    scale: Scale
    axis: TimeAxis
    labels: Labels

    def x(self, survey: Survey) -> float:
        return self.axis.x(survey.completed_at.epoch_us)


def scores(
    finding: Finding, instrument: Instrument, facts: Sequence[FactExplanation], axis: TimeAxis, top: float
) -> Iterator[Child]:
    """The plot of one instrument in one version, from *top* down."""
    plot = _Plot(finding, Scale(instrument, top), axis, Labels())
    yield from _scale_axis(plot)
    yield from _threshold_line(plot)
    yield from _changes(plot)
    surveys = [(told, told.fact) for told in facts if isinstance(told.fact, Survey) and _is_of(told.fact, finding)]
    # What counts is written first, so that it gets the best place.
    surveys.sort(key=lambda one: (one[0].part.role is None, one[0].part.standing is Standing.SUPERSEDED))
    for told, survey in surveys:
        yield from _survey(plot, told, survey)


def _is_of(survey: Survey, finding: Finding) -> bool:
    return (survey.instrument, survey.instrument_version) == (finding.instrument, finding.instrument_version)


def _scale_axis(plot: _Plot) -> Iterator[Child]:
    scale, finding = plot.scale, plot.finding
    worst, best = scale.ends
    for score in (worst, (worst + best) / 2, best):
        y = scale.y(score)
        yield element("line", x1=LEFT, x2=RIGHT, y1=y, y2=y, class_="axis")
        yield element("text", decimal_text(score), x=LEFT - 12, y=y + 4, text_anchor="end", class_="small")
    middle = scale.top + PLOT_HEIGHT / 2
    name = scale_name(finding.instrument, finding.instrument_version)
    arrow = f"M16 {middle + 18}V{middle - 18}M10 {middle - 10}L16 {middle - 20}L22 {middle - 10}"
    yield element("text", name, x=8, y=middle - 30, class_="small")
    yield element("path", d=arrow, class_="grey line")
    yield element("text", "better", x=28, y=middle - 6, class_="small faint")
    yield element("text", f"is {better(scale.instrument)}", x=28, y=middle + 9, class_="small faint")


def _threshold_line(plot: _Plot) -> Iterator[Child]:
    """The score that a follow-up has to come to, from the anchor on."""
    baseline, anchor, scale = plot.finding.baseline, plot.finding.anchor, plot.scale
    if baseline is None or anchor is None or baseline.score is None:
        return
    threshold = plot.finding.rules.threshold.points(scale.instrument, baseline.score)
    if threshold is None:
        return
    needed = baseline.score + threshold if scale.rises else baseline.score - threshold
    if not scale.instrument.admits(needed):
        return
    y = scale.y(needed)
    words = f"{decimal_text(needed)} or better" if threshold else f"better than {decimal_text(needed)}"
    start = plot.axis.x(anchor.performed_at.epoch_us)
    yield element("line", x1=start, x2=RIGHT, y1=y, y2=y, class_="orange line dashed")
    yield element("text", "improved is", x=RIGHT + 6, y=y, class_="small orange")
    yield element("text", words, x=RIGHT + 6, y=y + 13, class_="small orange")
    plot.labels.taken.append((RIGHT + 4, y - 11, WIDTH, y + 16))


def _changes(plot: _Plot) -> Iterator[Child]:
    """From the baseline's score to that of each follow-up."""
    baseline = plot.finding.baseline
    for comparison in plot.finding.comparisons:
        score = comparison.follow_up.score
        if baseline is not None and baseline.score is not None and score is not None and comparison.change:
            x, style = plot.x(comparison.follow_up), "green" if comparison.improved else "orange"
            ends = {"y1": plot.scale.y(baseline.score), "y2": plot.scale.y(score)}
            yield element("line", x1=x, x2=x, class_=f"{style} line", **ends)


def _survey(plot: _Plot, told: FactExplanation, survey: Survey) -> Iterator[Child]:
    x = plot.x(survey)
    y = plot.scale.y(survey.score) if survey.score is not None else plot.scale.top + PLOT_HEIGHT
    style = "grey" if told.part.role is None else _STYLES.get(told.part.role, "grey")
    change = next((c.change for c in plot.finding.comparisons if c.follow_up == survey), None)
    sign = "+" if change is not None and change > 0 else ""
    changed = "" if change is None else f", change {sign}{decimal_text(change)}"
    words = f"{score_text(survey)} {_survey_word(told, survey)}{changed}"
    yield _shape(told, x, y, style)
    yield plot.labels.place(words, x, y, f"small {style}" if told.part.role is not None else "small faint")


def _shape(told: FactExplanation, x: float, y: float, style: str) -> Element:
    """A disc is what counts, a diamond has improved, a ring is not used, a cross was taken back."""
    if told.part.standing is Standing.RETRACTED:
        return element("path", d=f"M{x - 5:.1f} {y - 5:.1f}l10 10m0 -10l-10 10", class_="red line")
    if told.part.role is Role.IMPROVED_FOLLOW_UP:
        return element("path", d=f"M{x:.1f} {y - 7:.1f}l7 7l-7 7l-7 -7z", class_=style)
    radius = 3.5 if told.part.standing is Standing.SUPERSEDED else 5.5
    return element("circle", cx=x, cy=y, r=radius, class_=style if told.part.role is not None else f"{style} hollow")


def _survey_word(told: FactExplanation, survey: Survey) -> str:
    if told.part.role is not None:
        return told.part.role.value
    match told.part.standing:
        case Standing.SUPERSEDED:
            return f"version {survey.version}, superseded"
        case Standing.RETRACTED | Standing.EXCLUDED:
            return told.part.why
        case _:
            return "not used"
