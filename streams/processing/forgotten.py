"""Which episodes are forgotten: so that what comes for one later is turned away, and never coded a second time.

There is no time after which an episode's id cannot come back, so this is kept for good: 8 bytes of each, a hash of its
id. Would it be dropped some day, a later course of care under the same id could be coded beside the first.
"""

from collections.abc import Iterable

from streams.intake.rejection import RejectedError, RejectionReason
from streams.processing.changelog import forgotten_key

_DETAIL = (
    "the episode: it was forgotten, for nothing had been heard of it for as long as the policy keeps one. What it was "
    "coded with stands; a new course of care needs an episode of its own."
)


class ForgottenEpisodes:
    """The forgotten episodes of one partition.

    Args:
        left: What is left of each: its key in the changelog.
    """

    def __init__(self, left: Iterable[bytes] = ()) -> None:
        self._left = set(left)

    def add(self, key: bytes) -> bytes:
        """Note that the episode with *key* is forgotten; the key of what is left of it."""
        left = forgotten_key(key)
        self._left.add(left)
        return left

    def turn_away(self, key: bytes) -> None:
        """Return where the episode with *key* is not forgotten.

        Raises:
            RejectedError: It is.
        """
        if self._left and forgotten_key(key) in self._left:
            raise RejectedError(RejectionReason.EPISODE_FORGOTTEN, _DETAIL)
