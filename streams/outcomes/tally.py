"""Outcomes counted: groups by dimension, which add up over processes, in any order and to the last digit."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, fields
from datetime import date
from fractions import Fraction
from typing import Self

from streams.outcomes.outcome import Dimension, FollowUpOutcome, Outcome


@dataclass(slots=True)
class Group:
    """The outcomes of one group."""

    awaited: int = 0
    """With a baseline and an anchor."""
    followed: int = 0
    """Of these, with a follow-up."""
    improved: int = 0
    with_published: int = 0
    """Of the followed, on an instrument for which an important change is published."""
    met_published: int = 0
    points: Fraction = Fraction(0)
    points_squared: Fraction = Fraction(0)
    of_range: Fraction = Fraction(0)
    of_range_squared: Fraction = Fraction(0)
    days: Counter[int] = field(default_factory=Counter)

    def take(self, follow_up: FollowUpOutcome | None) -> None:
        """Count one outcome."""
        self.awaited += 1
        if follow_up is None:
            return
        self.followed += 1
        self.improved += follow_up.improved
        if follow_up.met_published_change is not None:
            self.with_published += 1
            self.met_published += follow_up.met_published_change
        self.points += follow_up.improvement_points
        self.points_squared += follow_up.improvement_points**2
        self.of_range += follow_up.improvement_of_range
        self.of_range_squared += follow_up.improvement_of_range**2
        self.days[follow_up.days] += 1

    def __iadd__(self, other: "Group") -> Self:
        for part in fields(self):
            setattr(self, part.name, getattr(self, part.name) + getattr(other, part.name))
        return self


@dataclass(slots=True)
class Tally:
    """All groups."""

    groups: dict[Dimension, dict[str, Group]] = field(default_factory=lambda: {d: {} for d in Dimension})

    def take(self, outcomes: Iterable[Outcome], *, since: date | None = None, until: date | None = None) -> None:
        """Count *outcomes*; with *since* or *until*, those with a follow-up from the one date to before the other."""
        for outcome in outcomes:
            if not _is_within(outcome.follow_up, since, until):
                continue
            for dimension, value in outcome.places.items():
                self.groups[dimension].setdefault(value, Group()).take(outcome.follow_up)

    def __iadd__(self, other: "Tally") -> Self:
        for dimension, groups in other.groups.items():
            for value, group in groups.items():
                self.groups[dimension].setdefault(value, Group()).__iadd__(group)
        return self


def _is_within(follow_up: FollowUpOutcome | None, since: date | None, until: date | None) -> bool:
    if follow_up is None:
        return since is None and until is None
    on = follow_up.completed_on
    return (since is None or on >= since) and (until is None or on < until)
