"""What a committed step says in the log: a line for each reason for which records could not be taken in."""

from typing import TYPE_CHECKING

import structlog

from streams.worker.observer import PassingOn
from streams.worker.step import Step

if TYPE_CHECKING:
    from streams.processing.task_output import DeadLetterTold

_log = structlog.get_logger(__name__)


class StepLog(PassingOn):
    """Logs what matters of the work, and passes everything on.

    A sender that goes wrong does so a thousand times a second: a reason is one line a step, with the place of the
    first record and how many there were. The records themselves are in the dead letters.

    Args:
        observer: Is told, too.
    """

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
        super().step_committed(step)
