"""How what came out compares with what should have: counts, and the names of what is wrong."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, fields
from typing import Any, Self

NAMED_MAX = 1_000
"""Of each kind so many are named; all are counted."""


@dataclass(slots=True)
class Names:
    """The first names of a kind, and how many there are."""

    count: int = 0
    first: list[str] = field(default_factory=list)

    def add(self, name: str) -> None:
        """One more."""
        self.count += 1
        if len(self.first) < NAMED_MAX:
            self.first.append(name)

    def __iadd__(self, other: "Names") -> Self:
        self.count += other.count
        self.first += other.first[: NAMED_MAX - len(self.first)]
        return self

    def __len__(self) -> int:
        return self.count

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(self.first))


@dataclass(slots=True)
class Recount:
    """How the outcome compares with the expectation, over some of the episodes or all. Names are episode ids."""

    record_count: int = 0
    episode_count: int = 0
    code_count: int = 0
    """Codes earned by the input that the workers had taken in."""
    held_count: int = 0
    """Codes that billing holds."""
    actions: Counter[str] = field(default_factory=Counter)
    missing: Names = field(default_factory=Names)
    """Earned a code that billing does not hold."""
    extra: Names = field(default_factory=Names)
    """Hold a code that they have not earned."""
    different: Names = field(default_factory=Names)
    """Hold a code with another content than earned."""
    different_fields: Counter[str] = field(default_factory=Counter)
    """In how many of these a field of the coding event is another."""
    by_earlier_policy: int = 0
    """Codes as one of the earlier policies decides, and not the one of now."""
    waiting_records: int = 0
    """Input that the workers had not taken in yet."""
    waiting: Names = field(default_factory=Names)
    """Will be told otherwise of, once that is taken in."""
    event_faults: Names = field(default_factory=Names)
    dead_letters: Counter[str] = field(default_factory=Counter)
    """By reason, as they were found."""
    dead_letter_faults: Names = field(default_factory=Names)

    @property
    def agrees(self) -> bool:
        """Whether nothing is wrong."""
        return not (self.missing or self.extra or self.different or self.event_faults or self.dead_letter_faults)

    def __iadd__(self, other: "Recount") -> Self:
        for part in fields(self):
            setattr(self, part.name, _sum(getattr(self, part.name), getattr(other, part.name)))
        return self


def _sum(one: Any, other: Any) -> Any:  # noqa: ANN401 - counts of several kinds
    one += other
    return one
