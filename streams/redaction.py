"""What may a log line say of an id, of an error, or of a value that a library hands over?

Ids are shown as keyed hashes: lines about one episode can be brought together, and nobody who has only the logs can
say whose they are, nor find out by hashing all ids there are. Of an error its class and its places in the code are
shown, which hold no data; its text only where the class is one whose texts are known to hold none. Of anything else
that is not plainly harmless only the type is shown: the default is silence, not trust.
"""

import hashlib
import hmac
import secrets
from collections.abc import Iterator, Mapping
from enum import Enum
from pathlib import Path
from traceback import walk_tb

HASH_KEY_BYTES_MIN = 16
_HASH_DIGITS = 16
_PLACES_MAX = 3
_CAUSES_MAX = 5

_TELLS_NO_VALUES = ("streams.", "aiokafka.errors")
"""Modules whose exceptions have texts that name topics, partitions, settings and fields, and no values of records."""


class IdHash:
    """Turns ids into keyed hashes: HMAC-SHA256, of which 64 bits are shown.

    Args:
        key: The same for all processes whose lines are to be brought together. Without one a key of this
            process's own is drawn: its lines still correlate, and no others.
    """

    def __init__(self, key: bytes | None = None) -> None:
        self._key = key or secrets.token_bytes(32)

    def __call__(self, identifier: str | bytes) -> str:
        """What a log may show in place of *identifier*; text and its UTF-8 bytes are one id."""
        data = identifier if isinstance(identifier, bytes) else identifier.encode("utf-8", "surrogatepass")
        return f"#{hmac.new(self._key, data, hashlib.sha256).hexdigest()[:_HASH_DIGITS]}"


def told_error(error: BaseException) -> str:
    """*error* and what caused it, without the values that an exception's text may hold.

    ``ValidationError at stream_task.py:150 _advance, coder.py:31 advance``; places stand where the text does not.
    """
    return "; from ".join(_told(link) for link in causes(error))


def told_value(value: object) -> object:
    """*value* as far as it can be shown: numbers, short words of ours and of the libraries, and containers of these."""
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, Enum | Path):
        return str(value)
    if isinstance(value, BaseException):
        return told_error(value)
    if isinstance(value, Mapping):
        return {str(told_value(key)): told_value(held) for key, held in value.items()}
    if isinstance(value, tuple | list | set | frozenset):
        return [told_value(held) for held in value]
    return f"<{type(value).__name__}>"


def _told(error: BaseException) -> str:
    kind = type(error)
    name = kind.__qualname__
    if isinstance(error, OSError) and kind.__module__ == "builtins":  # its arguments are anybody's
        return f"{name}: {error.strerror}" if error.strerror else name
    if kind.__module__.startswith(_TELLS_NO_VALUES):
        text = str(error)
        return text if name in text else f"{name}: {text}"
    if isinstance(error, BaseExceptionGroup):
        return f"{name} of {', '.join(_told(inner) for inner in error.exceptions)}"
    places = ", ".join(_places(error))
    return f"{name} at {places}" if places else name


def _places(error: BaseException) -> list[str]:
    frames = [(frame.f_code, line) for frame, line in walk_tb(error.__traceback__)]
    return [f"{Path(code.co_filename).name}:{line} {code.co_name}" for code, line in frames[-_PLACES_MAX:]]


def causes(error: BaseException) -> Iterator[BaseException]:
    """*error*, what it was raised from, and so on, each once: an exception can be its own cause's cause."""
    seen: set[int] = set()
    link: BaseException | None = error
    while link is not None and id(link) not in seen and len(seen) < _CAUSES_MAX:
        yield link
        seen.add(id(link))
        link = link.__cause__ or (None if link.__suppress_context__ else link.__context__)
