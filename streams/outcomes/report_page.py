"""The report as one HTML page: for each dimension a chart and the table that it was drawn from."""

from collections.abc import Mapping, Sequence
from xml.etree.ElementTree import Element

from streams.documents.elements import Child, element, html_text
from streams.documents.page import page, picture
from streams.outcomes.outcome import Dimension
from streams.outcomes.report import Row
from streams.outcomes.statistics import Estimate

_HEADINGS = {
    Dimension.PAYER: "By payer",
    Dimension.PROGRAM: "By program",
    Dimension.INSTRUMENT: "By instrument",
    Dimension.SITE: "By site",
    Dimension.MONTH: "By month of the follow-up",
}
_CHART_ROWS_MAX = 30
_NAME_WIDTH, _PLOT_WIDTH, _ROW_HEIGHT, _TOP = 260, 480, 26, 28
_WIDTH = _NAME_WIDTH + _PLOT_WIDTH + 140


def report_page(rows: Mapping[Dimension, Sequence[Row]], *, policy: str, scope: str) -> str:
    """The page.

    Args:
        rows: Of each dimension.
        policy: By which policy improvement was judged.
        scope: What was taken into account, in a phrase.
    """
    sections = [part for dimension in _HEADINGS for part in _section(dimension, rows.get(dimension, ()))]
    title = "Outcomes of care"
    return html_text(
        page(
            title,
            element("h1", title),
            element("p", f"Judged by the policy {policy}; {scope}.", class_="dim"),
            *_overall(rows.get(Dimension.ALL, ())),
            *sections,
            *_method(),
        )
    )


def _overall(rows: Sequence[Row]) -> list[Element]:
    if not rows or rows[0].withheld:
        return [element("p", "There are too few outcomes to show any.", class_="verdict")]
    row = rows[0]
    told = [
        ("followed up", f"{row.followed:,}" if row.followed is not None else "withheld"),
        ("improved", _share(row.improved)),
        ("mean improvement", f"{_change(row)} of the instruments' ranges"),
        ("met the published important change", _share(row.met_published)),
        ("days to follow-up", _days(row)),
        ("share with a follow-up", _share(row.followed_up)),
    ]
    return [element("dl", *(part for name, value in told for part in (element("dt", name), element("dd", value))))]


def _section(dimension: Dimension, rows: Sequence[Row]) -> list[Element]:
    if not rows:
        return []
    return [element("h2", _HEADINGS[dimension]), _chart(dimension, rows), _table(dimension, rows)]


# ---------------------------------------------------------------------------------------------
# Charts
# ---------------------------------------------------------------------------------------------
def _chart(dimension: Dimension, rows: Sequence[Row]) -> Element:
    """Improvement rates with their intervals, a line for each group."""
    charted = [row for row in rows if row.improved is not None][
        : None if dimension is Dimension.MONTH else _CHART_ROWS_MAX
    ]
    if not charted:
        return element("p", "Every group is withheld: fewer than 11 people stand behind a number.", class_="dim")
    height = _TOP + _ROW_HEIGHT * len(charted) + 8
    axis = [part for tenth in range(0, 11, 2) for part in _tick(tenth / 10, height)]
    marks = [part for index, row in enumerate(charted) for part in _mark(row, _TOP + _ROW_HEIGHT * (index + 0.5))]
    best, worst = (pick(charted, key=_improved_share) for pick in (max, min))
    description = (
        f"Share improved, {_HEADINGS[dimension].lower()}, with intervals of 95 %: {len(charted)} groups, from "
        f"{_percent(_improved_share(worst))} ({worst.value}) to {_percent(_improved_share(best))} ({best.value}). "
        "The table below has the numbers."
    )
    return picture(f"chart-{dimension.value}", description, _WIDTH, height, *axis, *marks)


def _improved_share(row: Row) -> float:
    return row.improved.value if row.improved is not None else 0.0


def _x(share: float) -> float:
    return _NAME_WIDTH + share * _PLOT_WIDTH


def _tick(share: float, height: float) -> list[Element]:
    label = element("text", f"{100 * share:.0f} %", x=_x(share), y=14, text_anchor="middle", class_="small faint")
    return [label, element("line", x1=_x(share), x2=_x(share), y1=_TOP - 8, y2=height, class_="axis")]


def _mark(row: Row, y: float) -> list[Child]:
    estimate = row.improved
    if estimate is None:
        return []
    numbers = f"{_percent(estimate.value)} of {row.followed:,}"
    return [
        element("text", _shortened(row.value), x=_NAME_WIDTH - 12, y=y + 4.5, text_anchor="end"),
        element("line", x1=_x(estimate.low), x2=_x(estimate.high), y1=y, y2=y, class_="blue line"),
        *(
            element("line", x1=_x(end), x2=_x(end), y1=y - 5, y2=y + 5, class_="blue line")
            for end in (estimate.low, estimate.high)
        ),
        element("circle", cx=_x(estimate.value), cy=y, r=4.5, class_="blue"),
        element("text", numbers, x=_NAME_WIDTH + _PLOT_WIDTH + 14, y=y + 4.5, class_="small faint"),
    ]


_NAME_LENGTH_MAX = 34


def _shortened(name: str) -> str:
    return name if len(name) <= _NAME_LENGTH_MAX else f"{name[: _NAME_LENGTH_MAX - 1]}\N{HORIZONTAL ELLIPSIS}"


# ---------------------------------------------------------------------------------------------
# Tables
# ---------------------------------------------------------------------------------------------
def _table(dimension: Dimension, rows: Sequence[Row]) -> Element:
    unit = "points" if dimension is Dimension.INSTRUMENT else "% of range"
    names = ("followed up", "improved", f"mean improvement, {unit}", "met published change", "days to follow-up")
    heads = [dimension.value, *names, *(["had a follow-up"] if dimension is not Dimension.MONTH else [])]
    head = element("tr", *(element("th", name, scope="col", class_="n" if i else None) for i, name in enumerate(heads)))
    body = [element("tr", element("th", row.value, scope="row"), *_cells(row)) for row in rows]
    caption = element("caption", f"Outcomes {_HEADINGS[dimension].lower()}; in brackets: intervals of 95 %.")
    table = element("table", caption, element("thead", head), element("tbody", *body))
    label = f"Table: outcomes {_HEADINGS[dimension].lower()}"
    return element("div", table, class_="scroll", tabindex="0", role="region", aria_label=label)


def _cells(row: Row) -> list[Element]:
    shown = [
        "withheld" if row.followed is None else f"{row.followed:,}",
        _share(row.improved),
        _change(row),
        _share(row.met_published),
        _days(row),
    ]
    if row.dimension is not Dimension.MONTH:
        shown.append(_share(row.followed_up))
    return [element("td", text, class_="n") for text in shown]


def _share(estimate: Estimate | None) -> str:
    if estimate is None:
        return "\N{EN DASH}"
    return f"{_percent(estimate.value)} ({100 * estimate.low:.1f} to {100 * estimate.high:.1f})"


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %" if 0 < share < 1 else f"{100 * share:.0f} %"


def _change(row: Row) -> str:
    if row.change is None:
        return "\N{EN DASH}"
    if row.dimension is Dimension.INSTRUMENT:
        return f"{row.change.value:.2f} ({row.change.low:.2f} to {row.change.high:.2f})"
    return f"{100 * row.change.value:.1f} % ({100 * row.change.low:.1f} to {100 * row.change.high:.1f})"


def _days(row: Row) -> str:
    days = row.days_to_follow_up
    return "\N{EN DASH}" if days is None else f"{days[1]} ({days[0]} to {days[2]})"


_METHOD = """\
Counted is each instrument of an episode with a baseline before a qualifying treatment. Its follow-up is the earliest
that improved, else the latest: what a code would rest on. A mean improvement is that of this follow-up, not the last.
Payer and site are those of the anchor treatment; where it tells none, of the follow-up.

Improved means as the policy asks. The published important change is that of the instrument's reference; where none is
published, an outcome is left out of that share.

Days are from the anchor treatment to the follow-up: the median, and in brackets the quartiles.

Intervals are of 95 %: Wilson's score interval for shares (Wilson 1927; Brown, Cai and DasGupta 2001), the normal
interval for means. They tell of chance, not of who chose to answer: see the share with a follow-up.

Numbers from 1 to 10, and what would let them be derived, are withheld (CMS cell size suppression policy).
"""


def _method() -> list[Element]:
    return [element("h2", "How it was counted"), *(element("p", part) for part in _METHOD.split("\n\n"))]
