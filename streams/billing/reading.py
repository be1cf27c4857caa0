"""Reads a billing database: what stands, what was told before it, and what waits for a person."""

from collections.abc import Iterator

from sqlalchemy import ColumnElement, Connection, Engine, and_, select

from schemas.coding_event import CodingEvent
from schemas.vocabulary import Channel, CodingAction
from streams.billing.chain import Told
from streams.billing.tables import CODING_EVENT, EXPORTED_EVENT, STANDING_CODE

_ROWS_AT_ONCE = 1_000
_PRIOR = CODING_EVENT.alias("prior")


def read_history(connection: Connection, *, new_in: str | None = None) -> Iterator[Told]:
    """All events, those of an episode in the order of their revisions.

    Args:
        connection: In a transaction.
        new_in: Only those not exported in this format.
    """
    joined = CODING_EVENT.outerjoin(_PRIOR, CODING_EVENT.c.prior_event_id == _PRIOR.c.event_id)
    statement = select(CODING_EVENT.c.event, _PRIOR.c.event.label("prior")).select_from(joined)
    if new_in is not None:
        statement = statement.where(_is_new(new_in))
    in_order = statement.order_by(CODING_EVENT.c.episode_id, CODING_EVENT.c.revision)
    for row in connection.execute(in_order.execution_options(yield_per=_ROWS_AT_ONCE)):
        prior = CodingEvent.model_validate_json(row.prior) if row.prior is not None else None
        yield Told(prior, CodingEvent.model_validate_json(row.event))


def read_last(connection: Connection, *channels: Channel, new_in: str | None = None) -> Iterator[CodingEvent]:
    """The last event of each episode, where it is one of *channels*; a void, too. `read_history` has the others."""
    joined = STANDING_CODE.join(CODING_EVENT, STANDING_CODE.c.event_id == CODING_EVENT.c.event_id)
    statement = select(CODING_EVENT.c.event).select_from(joined).where(STANDING_CODE.c.channel.in_(channels))
    if new_in is not None:
        statement = statement.where(_is_new(new_in))
    in_order = statement.order_by(STANDING_CODE.c.episode_id)
    for text in connection.scalars(in_order.execution_options(yield_per=_ROWS_AT_ONCE)):
        yield CodingEvent.model_validate_json(text)


def read_standing(engine: Engine, *channels: Channel) -> Iterator[CodingEvent]:
    """What is to be billed, reported or held by one of *channels* now."""
    with engine.begin() as connection:
        for event in read_last(connection, *channels):
            if event.action is not CodingAction.VOID:
                yield event


def _is_new(export_format: str) -> ColumnElement[bool]:
    mark = EXPORTED_EVENT.c
    marked = select(mark.event_id).where(and_(mark.format == export_format, mark.event_id == CODING_EVENT.c.event_id))
    return ~marked.exists()
