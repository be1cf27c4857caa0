"""What a committed step says in the log: a line for each reason for which records could not be taken in."""

from contextlib import AbstractContextManager
from typing import TYPE_CHECKING

import structlog

from streams.worker.observer import TransactionPart, WorkObserver
from streams.worker.step import Step

if TYPE_CHECKING:
    from streams.processing.task_output import DeadLetterTold

_log = structlog.get_logger(__name__)


class StepLog:
    """Logs what matters of the work, and passes everything on.

    A sender that goes wrong does so a thousand times a second: a reason is one line a step, with the place of the
    first record and how many there were. The records themselves are in the dead letters.

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
        by_reason: dict[str, list[DeadLetterTold]] = {}
        for output in step.outputs:
            for letter in output.dead_letters:
                by_reason.setdefault(letter.reason, []).append(letter)
        for reason, letters in by_reason.items():
            first = letters[0]
            _log.warning(
                "records_rejected",
                reason=reason,
                count=len(letters),
                topic=first.topic,
                partition=first.partition,
                offset=first.offset,
            )
        self._observer.step_committed(step)

    def tasks_assigned(self, seconds_without: float) -> None:
        """The tasks are here."""
        self._observer.tasks_assigned(seconds_without)

    def timing(self, part: TransactionPart) -> AbstractContextManager[object]:
        """Measures a part of a transaction."""
        return self._observer.timing(part)
