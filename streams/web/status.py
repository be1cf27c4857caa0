"""What does the worker tell of itself? Nothing that is patient data."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class WorkerStatus:
    """How a worker is, at one instant."""

    trouble: str | None
    """Why it should be ended and started again; None while it is well."""
    waiting: str | None
    """Why it cannot code yet, such as "restoring"; None while it can."""
    build: str
    policy_id: str
    policy_version: str
    group: str
    partitions: Sequence[int]
    """Of which it has the tasks."""


StatusSource = Callable[[], WorkerStatus]
"""Filled by the worker; called in the event loop of the pages, and must not wait."""
