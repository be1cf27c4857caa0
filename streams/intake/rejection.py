"""Why a record cannot be taken in. Each reason becomes a header of its dead letter."""

from enum import StrEnum

from pydantic import ValidationError

_ERRORS_TOLD_MAX = 3


class RejectionReason(StrEnum):
    """What is wrong with a record; the words are fixed, for people filter and count by them."""

    EMPTY = "empty"
    TOO_LARGE = "too_large"
    NOT_JSON = "not_json"
    INVALID = "invalid"
    INVALID_TIME = "invalid_time"
    UNSUPPORTED_CLOUDEVENT = "unsupported_cloudevent"
    UNKNOWN_INSTRUMENT = "unknown_instrument"
    SCORE_OUT_OF_RANGE = "score_out_of_range"
    ANSWERS_INVALID = "answers_invalid"
    NO_ITEM_RULE = "no_item_rule"
    SCORE_MISMATCH = "score_mismatch"
    EPISODE_FULL = "episode_full"
    EPISODE_FORGOTTEN = "episode_forgotten"
    NOT_TAKEN_BACK = "not_taken_back"
    """The only one of a record that is taken in: the episode that it was moved from is full, or forgotten."""


class RejectedError(Exception):
    """A record that goes to the dead letters.

    Attributes:
        reason: The kind of fault.
        detail: A sentence for the sender's engineer. It names fields and never shows what they held:
            it may be read by people who may not see patient data.
    """

    def __init__(self, reason: RejectionReason, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail


def rejection_of(error: ValidationError) -> RejectedError:
    """The rejection for a value that breaks its type."""
    faults = error.errors(include_url=False, include_context=False, include_input=False)
    types = {fault["type"] for fault in faults}
    if types == {"json_invalid"}:
        reason = RejectionReason.NOT_JSON
    elif types == {"rfc3339_date_time"}:
        reason = RejectionReason.INVALID_TIME
    else:
        reason = RejectionReason.INVALID
    told = [
        f"{'.'.join(str(part) for part in fault['loc']) or 'the value'}: {fault['msg']}"
        for fault in faults[:_ERRORS_TOLD_MAX]
    ]
    more = len(faults) - len(told)
    return RejectedError(reason, "; ".join(told) + (f"; and {more} more" if more > 0 else ""))
