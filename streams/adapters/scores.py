"""A score as text: exact, and never so long that nobody can write it down."""

from decimal import Decimal

from streams.adapters.adaptation import FaultError, FaultReason
from streams.domain.instrument import Instrument

_DIGITS_MAX = 12
"""Before the point, and behind it: the contract's bound."""


def plain_score(value: Decimal | int | None, where: str) -> str | None:
    """*value* digit by digit as it stands, without an exponent.

    Raises:
        FaultError: It is no number that the contract could carry.
    """
    if value is None:
        return None
    number = Decimal(value)
    exponent = number.as_tuple().exponent
    if isinstance(exponent, str) or exponent < -_DIGITS_MAX or number.adjusted() >= _DIGITS_MAX:
        detail = f"{where}: the score is no number of at most {_DIGITS_MAX} digits before the point and behind it."
        raise FaultError(FaultReason.INVALID, detail)
    return f"{number:f}"


def stand_in_score(instrument: Instrument) -> str:
    """For a survey that was entered in error and has lost its score: one is asked for, and nobody looks at it."""
    return f"{instrument.score_min:f}"
