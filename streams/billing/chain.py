"""Does a coding event follow on what is held of its episode? The rule of the contract: revisions rise by one."""

from typing import NamedTuple

from schemas.coding_event import CodingEvent
from schemas.vocabulary import Channel, CodingAction
from streams.billing.refusals import NotFollowingError

_ON_CLAIMS = (Channel.CLAIM, Channel.BOTH)


class Standing(NamedTuple):
    """The last event that is held of an episode."""

    revision: int
    event_id: str
    action: CodingAction

    @property
    def active(self) -> str | None:
        """The event that billing stands on; None where nothing is to be billed."""
        return None if self.action is CodingAction.VOID else self.event_id


NOTHING = Standing(0, "", CodingAction.VOID)
"""Of an episode that nothing was told of."""


class Told(NamedTuple):
    """A coding event, and the one that stood before it; None where none did."""

    prior: CodingEvent | None
    event: CodingEvent

    @property
    def taken_back(self) -> CodingEvent | None:
        """What was charged on a claim and is not any more, or not so."""
        return self.prior if self.prior is not None and self.prior.channel in _ON_CLAIMS else None

    @property
    def charged(self) -> CodingEvent | None:
        """What is to be charged on a claim now. What is on hold, or for a registry alone, is no charge."""
        is_charge = self.event.action is not CodingAction.VOID and self.event.channel in _ON_CLAIMS
        return self.event if is_charge else None


def standing_after(standing: Standing, event: CodingEvent) -> Standing:
    """What is held after *event*, which is the next one.

    Raises:
        NotFollowingError: It is not: a revision is left out, or it replaces, voids or adds to what does not stand.
    """
    follows = (event.action is CodingAction.NEW) == (standing.active is None)
    prior = str(event.prior_event_id) if event.prior_event_id is not None else None
    if event.revision != standing.revision + 1 or not follows or prior != standing.active:
        message = (
            f"Event {event.event_id} ({event.action}, revision {event.revision}) does not follow on what the database "
            f"holds of its episode (revision {standing.revision}): events are missing, or those held are of another "
            "topic. Read the topic from its start into an empty database."
        )
        raise NotFollowingError(message)
    return Standing(event.revision, str(event.event_id), event.action)
