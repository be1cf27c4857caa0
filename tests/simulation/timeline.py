"""What happened in a simulated run, in order, so that a failing one can be read."""

from dataclasses import dataclass, field

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

    def violation(self, invariant: str, why: str) -> ViolationError:
        """The error that tells *why* the *invariant* does not hold, and how it came to that."""
        shown = "\n".join(self.lines[-SHOWN_MAX:])
        return ViolationError(f"{invariant}: {why}\nseed {self.seed}\n{shown}")
