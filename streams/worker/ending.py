"""How a worker ends that cannot go on, and what its exit code says to whoever starts it again."""

import os
from typing import NoReturn

import structlog

from streams.kafka.broker_access import is_denial
from streams.processing.changelog import ChangelogFormatError
from streams.worker.refusal import RefusedError

EXIT_DOUBT = 70
"""Going on was not safe; start it again (EX_SOFTWARE)."""
EXIT_DENIED = 77
"""The brokers denied it access; it takes a person to mend that (EX_NOPERM)."""
EXIT_REFUSED = 78
"""The surroundings are not fit to work in; somebody must mend them first (EX_CONFIG)."""

_REFUSED = (RefusedError, ChangelogFormatError)
_THEN = {
    EXIT_DOUBT: "Start it again: it goes on from what the brokers have committed, so that nothing is lost or doubled.",
    EXIT_DENIED: "Have the right or the credentials mended that the error names, then start it again.",
    EXIT_REFUSED: "Mend what the error names, then start it again.",
}

_log = structlog.get_logger(__name__)


def end_process(error: BaseException) -> NoReturn:
    """End at once, without a word to the broker: what is in doubt is decided by the next start.

    A graceful way out would commit, abort or leave the group in the name of a worker that does not know
    where it stands.
    """
    code = EXIT_DOUBT
    try:
        code = exit_code_of(error)
        _log.critical("worker_failed", error=error, then=_THEN[code], exit_code=code)
    finally:  # also where there is no memory left for a last word
        os._exit(code)


def exit_code_of(error: BaseException) -> int:
    """What somebody must mend first has an exit code of its own."""
    if is_denial(error):
        return EXIT_DENIED
    return EXIT_REFUSED if isinstance(error, _REFUSED) else EXIT_DOUBT
