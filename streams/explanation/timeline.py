"""An episode as a picture: scores over time on the instrument's scale, treatments, and what the rules made of them.

Better is up, on every scale. Nothing is told by colour alone: each mark has a shape of its own, and its word beside it.
"""

from collections.abc import Iterator, Sequence

from streams.documents.elements import Child, element
from streams.domain.decision import Finding
from streams.domain.fact import Treatment
from streams.domain.instant import US_PER_DAY
from streams.domain.instrument import Instrument
from streams.explanation.facts import FactExplanation
from streams.explanation.parts import Standing
from streams.explanation.timeline_geometry import (
    CHARACTER_WIDTH,
    LEFT,
    PLOT_HEIGHT,
    WIDTH,
    TimeAxis,
    day,
)
from streams.explanation.timeline_scores import scores

_TREATMENTS_TOP, _LANE_HEIGHT, _LANES_MAX = 44, 20, 8
_AXIS_HEIGHT = 34


def timeline(
    finding: Finding, instrument: Instrument | None, facts: Sequence[FactExplanation], axis: TimeAxis
) -> tuple[list[Child], float]:
    """What is drawn for one instrument in one version, and how high it is.

    Args:
        finding: What was found on it.
        instrument: None where the registry does not know it; then no scale can be drawn.
        facts: Those of the episode.
        axis: The stretch of time.
    """
    treatments = [f for f in facts if isinstance(f.fact, Treatment) and f.part.standing is not Standing.SUPERSEDED]
    lanes, lane_count = _lanes(treatments, finding, axis)
    top = _TREATMENTS_TOP + _LANE_HEIGHT * lane_count + 14
    bottom = top + PLOT_HEIGHT
    drawn: list[Child] = [*_bands(finding, axis, treatments, top - 8, bottom)]
    drawn += [*_time_axis(axis, top, bottom), *lanes, *_anchor(finding, axis, bottom)]
    if instrument is not None:
        drawn += scores(finding, instrument, facts, axis, top)
    return drawn, bottom + _AXIS_HEIGHT


# ---------------------------------------------------------------------------------------------
# Time and treatments
# ---------------------------------------------------------------------------------------------
def _time_axis(axis: TimeAxis, top: float, bottom: float) -> Iterator[Child]:
    for x, date in axis.ticks():
        yield element("line", x1=x, x2=x, y1=top, y2=bottom, class_="axis")
        yield element("text", date, x=x, y=bottom + 18, text_anchor="middle", class_="small faint")


def _bands(
    finding: Finding, axis: TimeAxis, treatments: Sequence[FactExplanation], top: float, bottom: float
) -> Iterator[Child]:
    """The look-back before the anchor, and the window after it and after each treatment that opens it anew."""
    rules, anchor = finding.rules, finding.anchor
    if anchor is None:
        return
    at_us = anchor.performed_at.epoch_us
    qualifying = [f.fact for f in treatments if isinstance(f.fact, Treatment) and rules.qualifies(f.fact)]
    last_us = max([t.performed_at.epoch_us for t in qualifying], default=at_us)
    opens_us = at_us + rules.follow_up_from_days * US_PER_DAY
    closes_us = last_us + rules.follow_up_to_days * US_PER_DAY
    begin, middle = axis.x(at_us - rules.look_back_us), axis.x(at_us)
    opens, closes = axis.x(opens_us), axis.x(closes_us)
    yield element("rect", x=begin, y=top, width=max(middle - begin, 0), height=bottom - top, class_="band")
    yield element("rect", x=opens, y=top, width=max(closes - opens, 0), height=bottom - top, class_="band2")
    look_back = f"look-back {rules.look_back_days} days, from {day(at_us - rules.look_back_us)}"
    window = f"follow-up window, {day(opens_us)} to {day(closes_us)}"
    yield element("text", look_back, x=max(middle - 8, LEFT + 190), y=16, text_anchor="end", class_="small blue")
    yield element("text", window, x=max(middle + 8, LEFT + 206), y=16, class_="small green")


def _lanes(treatments: Sequence[FactExplanation], finding: Finding, axis: TimeAxis) -> tuple[list[Child], int]:
    """Treatments as marks above the scale, in as many lanes as keeps their codes apart."""
    drawn: list[Child] = [
        element("text", "treatments", x=LEFT - 12, y=_TREATMENTS_TOP, text_anchor="end", class_="small faint")
    ]
    ends: list[float] = []
    for told in treatments:
        if not isinstance(told.fact, Treatment):
            continue
        x = axis.x(told.fact.performed_at.epoch_us)
        is_anchor = told.fact == finding.anchor
        text = " ".join((told.fact.code, *told.fact.modifiers)) + _treatment_word(told, is_anchor=is_anchor)
        width = 16 + CHARACTER_WIDTH * len(text)
        start = x if x + width <= WIDTH else x - width
        lane = next((n for n, end in enumerate(ends) if end <= start), min(len(ends), _LANES_MAX - 1))
        ends[lane : lane + 1] = [start + width]
        y = _TREATMENTS_TOP + _LANE_HEIGHT * lane
        counts = told.part.standing is Standing.COUNTS and finding.rules.qualifies(told.fact)
        drawn.append(element("path", d=f"M{x - 5:.1f} {y - 9}h10l-5 9z", class_="violet" if counts else "grey hollow"))
        place, side = (x + 9, "start") if start == x else (x - 9, "end")
        style = "small violet" if counts else "small faint"
        drawn.append(element("text", text, x=place, y=y, text_anchor=side, class_=style))
    return drawn, max(len(ends), 1)


def _treatment_word(told: FactExplanation, *, is_anchor: bool) -> str:
    if is_anchor:
        return " anchor"
    match told.part.standing:
        case Standing.RETRACTED:
            return f" {told.part.why}"
        case Standing.EXCLUDED:
            return " does not qualify"
        case _:
            return ""


def _anchor(finding: Finding, axis: TimeAxis, bottom: float) -> Iterator[Child]:
    if finding.anchor is not None:
        x = axis.x(finding.anchor.performed_at.epoch_us)
        yield element("line", x1=x, x2=x, y1=_TREATMENTS_TOP, y2=bottom, class_="violet line")
