"""What a worker tells the others of itself, every few seconds: so that each can show the whole group.

A report goes to the topic of worker reports as JSON. Its figures are of the process since it started; whoever wants a
rate takes the difference of two reports of one run. It holds no patient data, and no label without a bound.
"""

import msgspec

NEWEST_DEAD_LETTERS_MAX = 20
"""As many does a report show."""


class CodingCount(msgspec.Struct, frozen=True):
    """Coding events of one kind, and how many."""

    action: str
    code: str
    instrument: str
    payer: str
    program: str
    count: int


class DeadLetterSeen(msgspec.Struct, frozen=True):
    """A dead letter as an operator may see it: where it came from and what is wrong, not what it held."""

    topic: str
    partition: int
    offset: int
    reason: str
    detail: str
    timestamp_ms: int


class WorkerReport(msgspec.Struct, frozen=True, kw_only=True):
    """One worker at one instant."""

    place: str
    started_at_ms: int
    """Together with the place it names the run."""
    told_at_ms: int
    build: str
    policy: str
    policy_version: str
    phase: str
    """rebalancing, restoring, working, or stopped: its last word."""
    trouble: str | None = None
    """What its watchdog sees, in a sentence."""
    partitions: tuple[int, ...] = ()
    restore_remaining_records: int = 0
    rebalances: int = 0
    endings: dict[str, int] = {}
    """How former workers in its place ended, by reason."""
    records: int = 0
    episodes: int = 0
    episode_bytes: int = 0
    resident_bytes: int = 0
    dead_letters: dict[str, int] = {}
    newest_dead_letters: tuple[DeadLetterSeen, ...] = ()
    """The newest last."""
    codings: tuple[CodingCount, ...] = ()
    latency_bounds_seconds: tuple[float, ...] = ()
    latency_counts: tuple[int, ...] = ()
    """Coding events per bucket, not cumulated; the last is beyond the last bound."""
    pages_url: str | None = None
    """Where other workers reach its pages; None where it has none."""


encode_report = msgspec.json.Encoder().encode
decode_report = msgspec.json.Decoder(WorkerReport).decode
"""Raises:
    msgspec.DecodeError: It is no report, or one that this version cannot read.
"""
