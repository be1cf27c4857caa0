"""What one task adds to a step: what is to be written, and an account of what was done."""

from collections import Counter
from dataclasses import dataclass, field
from typing import NamedTuple

from streams.processing.records import OutputRecord
from streams.processing.trace_context import TraceContext


class CodingTold(NamedTuple):
    """A coding event, by what may be counted of it."""

    action: str
    code: str
    instrument: str
    payer: str
    """The rule of the policy that its payer falls under."""
    program: str
    """Empty where none narrowed the rules."""
    caused_at_ms: int
    """Kafka timestamp of the newest record that led to it."""
    cause: TraceContext | None = None
    """The trace that this record belongs to, where traces are followed."""
    span: TraceContext | None = None
    """Its own part of that trace."""

    @property
    def kind(self) -> tuple[str, str, str, str, str]:
        """By what it is counted."""
        return self.action, self.code, self.instrument, self.payer, self.program


class DeadLetterTold(NamedTuple):
    """A dead letter, by what may be shown of it."""

    topic: str
    partition: int
    offset: int
    reason: str
    detail: str
    timestamp_ms: int


@dataclass(slots=True)
class TaskOutput:
    """What one task adds to the step."""

    records: list[OutputRecord] = field(default_factory=list)
    next_offsets: dict[str, int] = field(default_factory=dict)
    """Of the source topics that were read, in the task's partition."""
    consumed: Counter[str] = field(default_factory=Counter)
    """Records read, by topic."""
    consumed_bytes: Counter[str] = field(default_factory=Counter)
    """Of their values."""
    rekeyed: int = 0
    decisions: Counter[str] = field(default_factory=Counter)
    """By their outcome: the code, or the reason why there is none."""
    codings: list[CodingTold] = field(default_factory=list)
    dead_letters: list[DeadLetterTold] = field(default_factory=list)
    forgotten: int = 0
    """Episodes that were kept for as long as the policy says."""
