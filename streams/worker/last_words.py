"""How have the workers in this place ended? Each leaves a word; one that was killed cannot, and that tells it, too.

The words lie beside the slot's lock. They are for operators only: nothing is decided by them, and without them (the
folder may be deleted at any time) counting begins anew.
"""

from contextlib import suppress
from enum import StrEnum
from pathlib import Path
from typing import NoReturn

import msgspec
from aiokafka.errors import IllegalGenerationError, UnknownMemberIdError

from streams.kafka.broker_access import is_denial
from streams.kafka.group_fenced_producer import FencedByGroupError
from streams.kafka.group_member import FencedInstanceIdError
from streams.processing.changelog import ChangelogFormatError
from streams.worker.ending import end_process
from streams.worker.refusal import RefusedError
from streams.worker.transactional_writer import PlaceTakenError
from streams.worker.watchdog import StalledError

_FENCED = (
    FencedByGroupError,
    FencedInstanceIdError,
    IllegalGenerationError,
    PlaceTakenError,
    UnknownMemberIdError,
)
_REFUSED = (ChangelogFormatError, RefusedError)


class Ending(StrEnum):
    """Why a worker ended."""

    RUNNING = "running"
    """It has not, or it was killed."""
    STOPPED = "stopped"
    FENCED = "fenced"
    DOUBT = "doubt"
    STALLED = "stalled"
    DENIED = "denied"
    REFUSED = "refused"
    KILLED = "killed"


def ending_of(error: BaseException) -> Ending:
    """The word for a worker that *error* has ended."""
    if is_denial(error):
        return Ending.DENIED
    for kind, ending in ((_REFUSED, Ending.REFUSED), (StalledError, Ending.STALLED), (_FENCED, Ending.FENCED)):
        if isinstance(error, kind):
            return ending
    return Ending.DOUBT


class _Words(msgspec.Struct):
    last: Ending | None = None
    counts: dict[Ending, int] = {}


class LastWords:
    """The words of one place.

    Args:
        path: Their file.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._words = self._read()

    def begin(self) -> dict[str, int]:
        """How often workers in this place have ended, by reason; from now on one runs."""
        last = self._words.last
        if last is not None:
            ended = Ending.KILLED if last is Ending.RUNNING else last
            self._words.counts[ended] = self._words.counts.get(ended, 0) + 1
        self.leave(Ending.RUNNING)
        return {str(reason): count for reason, count in self._words.counts.items()}

    def leave(self, ending: Ending) -> None:
        """Leave a word; where that cannot be, none is left."""
        self._words.last = ending
        with suppress(OSError):
            self._path.write_bytes(msgspec.json.encode(self._words))

    def end_process(self, error: BaseException) -> NoReturn:
        """Leave the word that fits *error*, and end at once (`streams.worker.ending`)."""
        try:
            self.leave(ending_of(error))
        finally:  # also where there is no memory left for a word
            end_process(error)

    def _read(self) -> _Words:
        try:
            return msgspec.json.decode(self._path.read_bytes(), type=_Words)
        except (OSError, msgspec.DecodeError):
            return _Words()
