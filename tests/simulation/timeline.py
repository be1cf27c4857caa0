"""What happened in a simulated run, in order, so that a failing one can be read."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from tests.simulation.invariants import BrokenInvariantError

SHOWN_MAX = 400


class ViolationError(AssertionError):
    """An invariant does not hold; the message holds the run's seed and timeline."""


@dataclass(slots=True)
class Timeline:
    """The moments of one run."""

    seed: int
    lines: list[str] = field(default_factory=list)

    def note(self, who: str, what: str) -> None:
        """Say what *who* did."""
        self.lines.append(f"{len(self.lines) + 1:>4}  {who:<10} {what}")

    @contextmanager
    def told(self) -> Iterator[None]:
        """Where an invariant does not hold, tell how it came to that.

        Raises:
            ViolationError: With the seed and the timeline.
        """
        try:
            yield
        except BrokenInvariantError as broken:
            shown = "\n".join(self.lines[-SHOWN_MAX:])
            message = f"{broken}\nseed {self.seed}\n{shown}"
            raise ViolationError(message) from None
