"""Why a billing database cannot be brought further. None of these shows what an event holds."""


class BillingRefusedError(Exception):
    """Somebody must mend something first; the message says what."""


class NotFollowingError(BillingRefusedError):
    """An event does not follow on what the database holds of its episode: one is missing, or it is of other events."""


class PositionTakenError(Exception):
    """Another sink has brought the same database further: nothing of ours was written."""
