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


class PassingOn:
    """Passes everything on to another observer: for those that add to one word of it.

    Args:
        observer: Is told, too.
    """

    def __init__(self, observer: WorkObserver) -> None:
        self._observer = observer

    def step_computed(self, seconds: float) -> None:
        """A step was computed."""
        self._observer.step_computed(seconds)

    def step_committed(self, step: Step) -> None:
        """A step is committed."""
        self._observer.step_committed(step)

    def tasks_assigned(self, seconds_without: float) -> None:
        """The tasks are here."""
        self._observer.tasks_assigned(seconds_without)

    def timing(self, part: TransactionPart) -> AbstractContextManager[object]:
        """Measures a part of a transaction."""
        return self._observer.timing(part)
