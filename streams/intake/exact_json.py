"""JSON text to a validated event, with every score exactly as it was written.

pydantic-core reads JSON numbers as binary floats, in which 3.4999999999999999999 is 3.5. A float
gives back up to 15 digits unharmed; an event whose score has more is read a second time, with decimals.
"""

import json
import re
from decimal import Decimal, InvalidOperation
from typing import Generic, TypeVar

from pydantic import BaseModel, ValidationError

from streams.intake.rejection import RejectedError, RejectionReason, rejection_of

EventT = TypeVar("EventT", bound=BaseModel)

# A float repeats 15 significant digits; with sign, point and exponent a shorter text may be inexact
# in no case, and a longer one is rare enough to be read twice.
_LONG_SCORE = re.compile(rb'"score"\s*:\s*[-+.0-9eE]{16}')


class ExactReader(Generic[EventT]):
    """Reads events of one type from JSON."""

    def __init__(self, event_type: type[EventT]) -> None:
        self._validate_json = event_type.__pydantic_validator__.validate_json
        self._validate_python = event_type.__pydantic_validator__.validate_python

    def read(self, value: bytes) -> EventT:
        """The event in *value*.

        Raises:
            RejectedError: It is no JSON, or breaks a type.
        """
        try:
            event: EventT = self._validate_json(value)
            if _may_hold_a_long_score(value):
                event = self._validate_python(json.loads(value, parse_float=_exact_float, parse_int=_exact_int))
        except ValidationError as error:
            raise rejection_of(error) from None
        except (ValueError, RecursionError) as error:
            detail = f"the value: {type(error).__name__} while reading it as JSON"
            raise RejectedError(RejectionReason.NOT_JSON, detail) from None
        return event


def _may_hold_a_long_score(value: bytes) -> bool:
    # A score under an escaped name ("\\u0073core") is none that the search would find (its letters are 63 to 73).
    return _LONG_SCORE.search(value) is not None or b"\\u006" in value or b"\\u007" in value


_INT_DIGITS_MAX = 40
_NO_SCORE = Decimal("NaN")


def _exact_float(text: str) -> Decimal:
    # An exponent of a few dozen digits is too much even for a decimal: harmless in a field that is not read.
    try:
        return Decimal(text)
    except InvalidOperation:
        return _NO_SCORE


def _exact_int(text: str) -> int | Decimal:
    # Python refuses to read an integer of thousands of digits; as a decimal it is read, and then out of bounds.
    return int(text) if len(text) <= _INT_DIGITS_MAX else Decimal(text)
