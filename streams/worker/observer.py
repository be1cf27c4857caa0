"""What a worker's work is watched by, while it is done."""

from contextlib import AbstractContextManager, nullcontext
from enum import StrEnum
from typing import Protocol

from streams.worker.step import Step


class TransactionPart(StrEnum):
    """Of what a transaction's time consists."""

    BEGIN = "begin"
    SEND = "send"
    OFFSETS = "offsets"
    END = "end"


class WorkObserver(Protocol):
    """Is told what happens; it must neither fail nor wait."""

    def step_computed(self, seconds: float) -> None:
        """A step was computed."""

    def step_committed(self, step: Step) -> None:
        """A step is committed: what it did, has happened."""

    def tasks_assigned(self, seconds_without: float) -> None:
        """The tasks are here, and restored."""

    def timing(self, part: TransactionPart) -> AbstractContextManager[object]:
        """Measures the part of a transaction that runs within."""


class Unobserved:
    """Watches nothing."""

    def step_computed(self, seconds: float) -> None:
        """Nothing."""

    def step_committed(self, step: Step) -> None:
        """Nothing."""

    def tasks_assigned(self, seconds_without: float) -> None:
        """Nothing."""

    def timing(self, part: TransactionPart) -> AbstractContextManager[object]:
        """Nothing."""
        del part
        return nullcontext()
