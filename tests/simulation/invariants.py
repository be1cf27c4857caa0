"""What must hold, by the names of reliability.md 4.1."""

from enum import StrEnum


class Invariant(StrEnum):
    """One of them."""

    EXACTLY_ONCE = "I1 exactly once"
    STATE = "I2 state"
    ATOMIC_PREFIX = "I3 atomic prefix"
    NO_ABORTED_READ = "I4 no aborted read"
    ORDER = "I5 order"
    FENCING = "I6 fencing"
    CONSERVATION = "I7 conservation"
    LIVENESS = "I8 liveness"


class BrokenInvariantError(Exception):
    """One does not hold; `Timeline.told` adds how it came to that."""

    def __init__(self, invariant: Invariant, why: str) -> None:
        super().__init__(f"{invariant}: {why}")


def require(holds: bool, invariant: Invariant, why: str) -> None:  # noqa: FBT001 - it reads as what it says
    """Go on only where the *invariant* holds.

    Raises:
        BrokenInvariantError: It does not; *why* says what was found.
    """
    if not holds:
        raise BrokenInvariantError(invariant, why)
