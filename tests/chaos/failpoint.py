"""Where, when and how does a worker fail?"""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Self


class Point(StrEnum):
    """Between which two acts of a worker it fails."""

    BEFORE_BEGIN = "before-begin"
    AFTER_FIRST_SEND = "after-first-send"
    """The first batch is in the log, the others are not sent."""
    AFTER_ALL_SENDS = "after-all-sends"
    """Every batch is in the log; nothing was said of the offsets."""
    OFFSETS_SENT = "offsets-sent"
    """TxnOffsetCommit is on its way, and unanswered."""
    AFTER_OFFSETS = "after-offsets"
    END_SENT = "end-sent"
    """EndTxn is on its way, and unanswered."""
    END_ANSWERED = "end-answered"
    IN_RESTORE = "in-restore"
    """First: nothing of the changelog is read; middle: half of it; last: all of it."""
    IN_ASSIGNMENT = "in-assignment"
    """First: InitProducerId is answered; middle: the state is restored; last: about to seek."""
    IN_REVOCATION = "in-revocation"
    """First: about to settle; middle: about to wait for the step in hand; last: the tasks are parked."""


STEP_POINTS = (
    Point.BEFORE_BEGIN,
    Point.AFTER_FIRST_SEND,
    Point.AFTER_ALL_SENDS,
    Point.OFFSETS_SENT,
    Point.AFTER_OFFSETS,
    Point.END_SENT,
    Point.END_ANSWERED,
)
"""Those that every step passes, in order."""


class Moment(StrEnum):
    """At which passing; for a point that every step passes: in which step."""

    FIRST = "first"
    MIDDLE = "middle"
    """The step in which half of the input has been read."""
    LAST = "last"
    """The step in which all of the input has been read."""


class Action(StrEnum):
    """What happens there."""

    KILL = "kill"
    """SIGKILL to itself."""
    STOP = "stop"
    """SIGSTOP to itself, until somebody sends SIGCONT."""
    BLOCK = "block"
    """The event loop runs nothing else for a while."""


class Guard(StrEnum):
    """A guard of the worker that can be taken out, to show that it is needed."""

    GROUP_FENCING = "group-fencing"
    """Offsets are committed in the name of a member and its generation (KIP-447), and EndTxn is sent once."""


@dataclass(frozen=True, slots=True)
class Failpoint:
    """Where, when and how.

    Attributes:
        input_count: How many records the input has; tells the moments of a step.
        block_seconds: For `Action.BLOCK`.
        without: The guard that the worker lacks.
    """

    point: Point
    moment: Moment
    action: Action = Action.KILL
    input_count: int = 0
    block_seconds: float = 0.0
    without: Guard | None = None

    def command(self, *, poll_records_max: int) -> Sequence[str]:
        """Starts a worker that fails so, and takes *poll_records_max* records at once: small steps, more of them."""
        options = {
            "point": self.point,
            "moment": self.moment,
            "action": self.action,
            "input-count": self.input_count,
            "block-seconds": self.block_seconds,
            "poll-records-max": poll_records_max,
            **({"without": self.without} if self.without is not None else {}),
        }
        told = (text for name, value in options.items() for text in (f"--{name}", str(value)))
        return (sys.executable, "-m", "tests.chaos.instrumented_worker", *told)

    @classmethod
    def from_command(cls) -> tuple[Self, int]:
        """What the command line of this process says, and how many records to take at once."""
        parser = argparse.ArgumentParser()
        parser.add_argument("--point", type=Point, required=True)
        parser.add_argument("--moment", type=Moment, required=True)
        parser.add_argument("--action", type=Action, required=True)
        parser.add_argument("--input-count", type=int, required=True)
        parser.add_argument("--block-seconds", type=float, required=True)
        parser.add_argument("--without", type=Guard)
        parser.add_argument("--poll-records-max", type=int, required=True)
        told = vars(parser.parse_args())
        poll_records_max = told.pop("poll_records_max")
        return cls(**told), poll_records_max

    def is_step(self, read_count: int) -> bool:
        """Whether the moment is the step after which *read_count* records of the input have been read."""
        thresholds = {Moment.FIRST: 1, Moment.MIDDLE: self.input_count // 2, Moment.LAST: self.input_count}
        return read_count >= thresholds[self.moment]
