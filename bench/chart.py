"""The rounds as a picture: a bar for each engine's events per second and processor time."""

from collections.abc import Callable, Collection, Mapping, Sequence
from xml.etree.ElementTree import Element, tostring

from bench.comparison import Extent, counted, extent
from bench.measurement import Figures, Measurement
from streams.documents.elements import element

_WIDTH = 860
_NAMES_WIDTH = 190
_GAP = 80
_BAR_WIDTH = (_WIDTH - _NAMES_WIDTH - 2 * _GAP) / 2
_ROW = 26
_TOP = 54
_OURS, _OTHERS, _INK, _PALE_INK = "#0b6e4f", "#9aa5b1", "#1f2933", "#52606d"


def chart(measurements: Collection[Measurement], subject_family: str, caption: str) -> str:
    """An SVG document: the fastest engine first; bars are medians, lines go from the minimum to the maximum."""
    figures = _figures_of_engines(measurements)
    families = {run.engine: run.family for run in measurements}
    engines = sorted(figures, key=lambda engine: -extent(run.events_per_second for run in figures[engine]).median)
    height = _TOP + _ROW * len(engines) + 28
    drawn = [element("rect", width=_WIDTH, height=height, rx=6, fill="#ffffff")]
    drawn += [
        element("text", engine, x=_NAMES_WIDTH - 10, y=_baseline(row), text_anchor="end", fill=_INK)
        for row, engine in enumerate(engines)
    ]
    colours = [_OURS if families[engine] == subject_family else _OTHERS for engine in engines]
    panels: Sequence[tuple[str, Callable[[Figures], float], str]] = (
        ("events/s", lambda run: run.events_per_second, "{:,.0f}"),
        ("CPU seconds per million events (less is better)", lambda run: run.cpu_seconds_per_million, "{:.1f}"),
    )
    for number, (title, value, form) in enumerate(panels):
        extents = [extent(map(value, figures[engine])) for engine in engines]
        drawn += _panel(_NAMES_WIDTH + number * (_BAR_WIDTH + _GAP), title, extents, colours, form)
    drawn.append(element("text", caption, x=12, y=height - 10, fill=_PALE_INK, font_size=11))
    picture = element(
        "svg",
        element("title", "Events per second and processor time of each engine"),
        *drawn,
        xmlns="http://www.w3.org/2000/svg",
        viewBox=f"0 0 {_WIDTH} {height}",
        role="img",
        font_family="Inter, Helvetica, Arial, sans-serif",
        font_size=13,
    )
    return tostring(picture, encoding="unicode") + "\n"


def _figures_of_engines(measurements: Collection[Measurement]) -> Mapping[str, list[Figures]]:
    rounds = [run for run in measurements if run.round_number is not None]
    found = {
        engine: counted(run for run in rounds if run.engine == engine) for engine in {run.engine for run in rounds}
    }
    return {engine: figures for engine, figures in found.items() if figures}


def _panel(left: float, title: str, extents: Sequence[Extent], colours: Sequence[str], form: str) -> list[Element]:
    scale = _BAR_WIDTH / max((found.maximum for found in extents), default=1)
    drawn = [element("text", title, x=left, y=_TOP - 22, fill=_INK, font_weight="600")]
    for row, (found, colour) in enumerate(zip(extents, colours, strict=True)):
        top, middle = _TOP + _ROW * row, _TOP + _ROW * row + _ROW / 2 - 3
        low, median, high = (left + value * scale for value in found)
        drawn += [
            element("rect", x=left, y=top, width=median - left, height=_ROW - 6, rx=2, fill=colour),
            element("line", x1=low, x2=high, y1=middle, y2=middle, stroke=_INK, stroke_width=1.5),
            element("text", form.format(found.median), x=high + 6, y=_baseline(row), fill=_PALE_INK),
        ]
    return drawn


def _baseline(row: int) -> float:
    return _TOP + _ROW * row + 15
