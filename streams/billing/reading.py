"""Reads a billing database: what stands, what was told before it, and what waits for a person."""

from collections.abc import Iterator

from sqlalchemy import Engine, select

from schemas.coding_event import CodingEvent
from schemas.vocabulary import Channel, CodingAction
from streams.billing.chain import Told
from streams.billing.tables import CODING_EVENT, STANDING_CODE

_ROWS_AT_ONCE = 1_000


def read_history(engine: Engine) -> Iterator[Told]:
    """All events, those of an episode in the order of their revisions."""
    prior: CodingEvent | None = None
    statement = select(CODING_EVENT.c.event).order_by(CODING_EVENT.c.episode_id, CODING_EVENT.c.revision)
    with engine.begin() as connection:
        for text in connection.execution_options(yield_per=_ROWS_AT_ONCE).scalars(statement):
            event = CodingEvent.model_validate_json(text)
            yield Told(prior if event.action is not CodingAction.NEW else None, event)
            prior = event


def read_last(engine: Engine, *channels: Channel) -> Iterator[CodingEvent]:
    """The last event of each episode, where it is one of *channels*; a void, too."""
    joined = STANDING_CODE.join(CODING_EVENT, STANDING_CODE.c.event_id == CODING_EVENT.c.event_id)
    statement = select(CODING_EVENT.c.event).select_from(joined).where(STANDING_CODE.c.channel.in_(channels))
    with engine.begin() as connection:
        rows = connection.execution_options(yield_per=_ROWS_AT_ONCE)
        for text in rows.scalars(statement.order_by(STANDING_CODE.c.episode_id)):
            yield CodingEvent.model_validate_json(text)


def read_standing(engine: Engine, *channels: Channel) -> Iterator[CodingEvent]:
    """What is to be billed, reported or held by one of *channels* now."""
    return (event for event in read_last(engine, *channels) if event.action is not CodingAction.VOID)
