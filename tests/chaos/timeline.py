"""What happened in a trial, and when?"""

import time
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple


class Kind(StrEnum):
    """What a line of the timeline tells."""

    NOTE = "note"
    FAULT = "fault"
    HEALED = "healed"


class Line(NamedTuple):
    """One line; the time is in seconds since the trial began."""

    at_seconds: float
    kind: Kind
    text: str

    def __str__(self) -> str:
        """As it is shown to a reader."""
        return f"{self.at_seconds:8.2f} s  {self.kind:6}  {self.text}"


@dataclass(slots=True)
class Timeline:
    """The lines of one trial, oldest first."""

    lines: list[Line] = field(default_factory=list)
    _began_at: float = field(default_factory=time.monotonic)

    def add(self, kind: Kind, text: str) -> None:
        """Add a line, as of now."""
        self.lines.append(Line(self.now(), kind, text))

    def now(self) -> float:
        """Seconds since the trial began."""
        return time.monotonic() - self._began_at

    @property
    def fault_count(self) -> int:
        """How many faults were injected."""
        return sum(line.kind is Kind.FAULT for line in self.lines)

    @property
    def last_trouble_seconds(self) -> float | None:
        """When the last fault was injected or taken back; None where there was none."""
        times = [line.at_seconds for line in self.lines if line.kind is not Kind.NOTE]
        return max(times, default=None)

    def __str__(self) -> str:
        """All lines."""
        return "\n".join(map(str, self.lines))
