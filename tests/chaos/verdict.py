"""How did a trial end? One row of the table."""

from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is said of one trial.

    Attributes:
        lost: Codes and dead letters that are missing, or say something else than they should.
        doubled: Events, dead letters and forwarded records that appear twice, and codes that were not earned.
        recovery_seconds: From the last fault, or from when it was taken back, until nothing was left to do.
        violations: What does not hold, as sentences that begin with the number of the invariant.
        finding: For a trial that is meant to find something: what it found.
    """

    scenario: str
    seed: int
    faults: int
    records: int
    codes: int
    lost: int
    doubled: int
    recovery_seconds: float | None
    restarts: int
    seconds: float
    violations: list[str] = field(default_factory=list)
    finding: str = ""
    timeline: list[str] = field(default_factory=list)
    last_words: dict[str, str] = field(default_factory=dict)

    @property
    def holds(self) -> bool:
        """Whether every invariant holds."""
        return not self.violations

    def as_json(self) -> dict[str, Any]:
        """For the file that is written."""
        return asdict(self) | {"holds": self.holds}
