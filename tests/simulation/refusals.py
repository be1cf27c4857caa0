"""What a broker answers where it does not do what it was asked."""


class NotYetError(Exception):
    """Ask again later; the simulated client waits in silence, as aiokafka repeats in silence."""


class FencedError(Exception):
    """Another producer has this transactional id, or the coordinator knows of no such transaction."""


class OutOfSequenceError(Exception):
    """A batch before this one is missing."""


class InvalidTransactionError(Exception):
    """There is no transaction to which this could be done."""


class StaleMemberError(Exception):
    """The group has moved on, or does not know the member."""


class RebalancingError(Exception):
    """The group deals out its partitions anew: join again."""


class ConnectionLostError(Exception):
    """No answer came; whether the request did is not known."""


class OutcomeUnknownError(Exception):
    """No answer came to EndTxn, and it is not asked twice."""
