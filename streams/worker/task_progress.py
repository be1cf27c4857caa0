"""How far a worker is, for whoever watches over it."""

from enum import StrEnum
from typing import NamedTuple


class Phase(StrEnum):
    """What the worker is about."""

    REBALANCING = "rebalancing"
    """It has no tasks: not yet, or not any more."""
    RESTORING = "restoring"
    WORKING = "working"


class TaskProgress(NamedTuple):
    """How far the worker is, for whoever watches over it."""

    phase: Phase
    assignments: int
    """How often tasks were given to it."""
    records_restored: int
    steps_committed: int
    records_in_hand: bool
    """Whether records were received that are not committed."""
