"""The report: for each group what may be shown of it, as rows that every form of it is made from."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from streams.outcomes.outcome import Dimension
from streams.outcomes.statistics import Estimate, mean, quantile, rate
from streams.outcomes.suppression import Cell, withheld
from streams.outcomes.tally import Group, Tally


@dataclass(frozen=True, slots=True)
class Row:
    """One group; what is None is withheld, or there is nothing to compute it from."""

    dimension: Dimension
    value: str
    withheld: bool
    """Whether small numbers stand behind it, so that how many and how they fared is not shown."""
    followed: int | None
    """Episodes and instruments with a baseline, a treatment and a follow-up."""
    improved: Estimate | None
    """The share whose score improved as the policy asks."""
    change: Estimate | None
    """The mean improvement: of an instrument in score points, else in shares of the instruments' ranges."""
    with_published: int | None
    met_published: Estimate | None
    """Of those on an instrument with a published important change, the share that met it."""
    days_to_follow_up: tuple[int, int, int] | None
    """From the anchor treatment: first quartile, median, third quartile."""
    awaited: int | None
    followed_up: Estimate | None
    """Of those with a baseline and a treatment, the share with a follow-up."""

    @property
    def change_unit(self) -> str:
        """What the mean improvement is counted in."""
        return "points" if self.dimension is Dimension.INSTRUMENT else "percent of range"

    def as_json(self) -> dict[str, Any]:
        """The same as JSON values; shares from 0 to 1."""
        days = self.days_to_follow_up
        return {
            "group": self.value,
            "withheld": self.withheld,
            "followed": self.followed,
            "improved": _estimate_json(self.improved),
            "mean_improvement": _estimate_json(self.change),
            "mean_improvement_unit": self.change_unit.replace(" ", "_"),
            "with_published_change": self.with_published,
            "met_published_change": _estimate_json(self.met_published),
            "days_to_follow_up": dict(zip(("first_quartile", "median", "third_quartile"), days, strict=True))
            if days is not None
            else None,
            "awaited": self.awaited,
            "followed_up": _estimate_json(self.followed_up),
        }


def report_rows(tally: Tally) -> dict[Dimension, list[Row]]:
    """The rows of each dimension: months in their order, else the largest groups first."""
    return {dimension: _rows(dimension, groups) for dimension, groups in tally.groups.items()}


def _rows(dimension: Dimension, groups: Mapping[str, Group]) -> list[Row]:
    hidden = withheld({value: Cell(g.followed, g.improved) for value, g in groups.items()})
    hidden_published = withheld({value: Cell(g.with_published, g.met_published) for value, g in groups.items()})
    hidden_awaited = withheld({value: Cell(g.awaited, g.followed) for value, g in groups.items()})
    order = sorted(groups, key=lambda value: (-groups[value].followed, value))
    if dimension is Dimension.MONTH:
        order = sorted(groups)
    return [
        _row(
            dimension,
            value,
            groups[value],
            is_hidden=value in hidden,
            is_published_hidden=value in hidden_published | hidden,
            is_awaited_hidden=value in hidden_awaited or dimension is Dimension.MONTH,
        )
        for value in order
    ]


def _row(  # noqa: PLR0913 - which of its numbers are withheld
    dimension: Dimension,
    value: str,
    group: Group,
    *,
    is_hidden: bool,
    is_published_hidden: bool,
    is_awaited_hidden: bool,
) -> Row:
    of_instrument = dimension is Dimension.INSTRUMENT
    total = (group.points, group.points_squared) if of_instrument else (group.of_range, group.of_range_squared)
    return Row(
        dimension=dimension,
        value=value,
        withheld=is_hidden,
        followed=None if is_hidden else group.followed,
        improved=None if is_hidden else rate(group.improved, group.followed),
        change=None if is_hidden else mean(*total, group.followed),
        with_published=None if is_published_hidden else group.with_published,
        met_published=None if is_published_hidden else rate(group.met_published, group.with_published),
        days_to_follow_up=None if is_hidden else _quartiles(group),
        awaited=None if is_awaited_hidden else group.awaited,
        followed_up=None if is_awaited_hidden else rate(group.followed, group.awaited),
    )


def _quartiles(group: Group) -> tuple[int, int, int] | None:
    first, median, third = (quantile(group.days, share) for share in (0.25, 0.5, 0.75))
    return None if first is None or median is None or third is None else (first, median, third)


def _estimate_json(estimate: Estimate | None) -> dict[str, float] | None:
    return None if estimate is None else {name: round(value, 4) for name, value in estimate._asdict().items()}
