"""How many dead letters there are, and how many of them are still dead."""

from collections import Counter
from dataclasses import dataclass, field

from streams.dead_letters.letters import Letter


@dataclass(slots=True)
class Tally:
    """Counts by reason."""

    dead: Counter[str] = field(default_factory=Counter)
    """Not sent again."""
    replayed: Counter[str] = field(default_factory=Counter)

    @property
    def count(self) -> int:
        """All of them."""
        return self.dead.total() + self.replayed.total()

    def take(self, letter: Letter) -> None:
        """Count *letter*."""
        (self.replayed if letter.was_replayed else self.dead)[letter.source.reason] += 1
