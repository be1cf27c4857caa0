"""Writes coding events into a billing database: events, what they come to, and the position, in one transaction."""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from pydantic import ValidationError
from sqlalchemy import Connection, Engine, bindparam, insert, select, update

from schemas.coding_event import CodingEvent
from schemas.vocabulary import CodingAction
from streams.billing.chain import NOTHING, Standing, standing_after
from streams.billing.refusals import BillingRefusedError, NotFollowingError, PositionTakenError
from streams.billing.tables import CODING_EVENT, STANDING_CODE, TOPIC_POSITION
from streams.processing.records import InputRecord

_ALSO_COLUMNS = (
    *("revision", "action", "code", "channel", "charge", "episode_id", "patient_id", "encounter_id", "payer_id"),
    *("rendering_npi", "facility_id", "place_of_service", "service_date"),
)
_EPISODES_AT_ONCE = 1_000
"""In one statement: both databases bound its parameters."""


class Passage(NamedTuple):
    """Records of one partition, and the position before and after them."""

    partition: int
    position: int
    next_offset: int
    records: Sequence[InputRecord]


class BillingBook:
    """What a billing database holds of one topic.

    Args:
        engine: The database, as `open_database` opens it.
        topic: The billing topic.
    """

    def __init__(self, engine: Engine, topic: str) -> None:
        self._engine = engine
        self._topic = topic

    def positions(self, partitions: Iterable[int]) -> dict[int, int]:
        """The next offset to be read of each of *partitions*."""
        of_topic = TOPIC_POSITION.c.topic == self._topic
        with self._engine.begin() as connection:
            rows = connection.execute(select(TOPIC_POSITION).where(of_topic))
            known = {row.partition: row.next_offset for row in rows}
            missing = [number for number in partitions if number not in known]
            if missing:
                begin = [{"topic": self._topic, "partition": number, "next_offset": 0} for number in missing]
                connection.execute(insert(TOPIC_POSITION), begin)
        return dict.fromkeys(missing, 0) | known

    def write(self, passages: Iterable[Passage]) -> int:
        """Write *passages*, all or nothing; how many events are new.

        Raises:
            PositionTakenError: The database stands elsewhere: another sink writes to it.
            BillingRefusedError: A record is no coding event, or does not follow on those held.
        """
        passages = list(passages)
        events = [(read_event(record), record) for passage in passages for record in passage.records]
        with self._engine.begin() as connection:
            for passage in passages:
                self._move(connection, passage)
            standing = _standing(connection, {event.episode_id for event, _ in events})
            known = set(standing)
            written, repeated = [], []
            for event, record in events:
                before = standing.get(event.episode_id, NOTHING)
                if event.revision <= before.revision:
                    repeated.append(event)
                    continue
                standing[event.episode_id] = standing_after(before, event)
                written.append((event, record))
            _write_events(connection, written)
            _write_standing(connection, [event for event, _ in written], known)
            _require_held(connection, repeated)
        return len(written)

    def _move(self, connection: Connection, passage: Passage) -> None:
        # The row is locked until the transaction ends, so of two sinks one waits here, and then finds it moved.
        place = TOPIC_POSITION.c
        at = (place.topic == self._topic, place.partition == passage.partition, place.next_offset == passage.position)
        moved = connection.execute(update(TOPIC_POSITION).where(*at).values(next_offset=passage.next_offset))
        if moved.rowcount != 1:
            message = (
                f"{self._topic}-{passage.partition}: the database does not stand at {passage.position} any more. "
                "Another sink writes to it, or did: let one of them run."
            )
            raise PositionTakenError(message)


def read_event(record: InputRecord) -> CodingEvent:
    """The coding event in *record*.

    Raises:
        BillingRefusedError: There is none; the message says where, and not what.
    """
    try:
        return CodingEvent.model_validate_json(record.value or b"")
    except ValidationError as error:
        fields = sorted({".".join(map(str, fault["loc"])) or "the value" for fault in error.errors()})
        message = (
            f"{record.topic}-{record.partition}@{record.offset} is no coding event ({', '.join(fields)}). Only workers "
            "write to this topic: see who else may (`g9603 topics --acls`)."
        )
    raise BillingRefusedError(message)


def _standing(connection: Connection, episode_ids: set[str]) -> dict[str, Standing]:
    standing: dict[str, Standing] = {}
    for some in _in_parts(sorted(episode_ids)):
        rows = connection.execute(select(STANDING_CODE).where(STANDING_CODE.c.episode_id.in_(some)))
        standing |= {row.episode_id: Standing(row.revision, row.event_id, CodingAction(row.action)) for row in rows}
    return standing


def _write_events(connection: Connection, written: Sequence[tuple[CodingEvent, InputRecord]]) -> None:
    if written:
        connection.execute(insert(CODING_EVENT), [_row(event, record.value or b"") for event, record in written])


def _row(event: CodingEvent, value: bytes) -> dict[str, Any]:
    prior = str(event.prior_event_id) if event.prior_event_id is not None else None
    columns = {name: getattr(event, name) for name in _ALSO_COLUMNS}
    return {**columns, "event_id": str(event.event_id), "prior_event_id": prior, "event": value.decode()}


def _write_standing(connection: Connection, events: Iterable[CodingEvent], known: set[str]) -> None:
    last = {event.episode_id: _standing_row(event) for event in events}
    moved = [row | {"of_episode": episode_id} for episode_id, row in last.items() if episode_id in known]
    added = [row for episode_id, row in last.items() if episode_id not in known]
    if moved:
        of_episode = STANDING_CODE.c.episode_id == bindparam("of_episode")
        connection.execute(update(STANDING_CODE).where(of_episode), moved)
    if added:
        connection.execute(insert(STANDING_CODE), added)


def _standing_row(event: CodingEvent) -> dict[str, Any]:
    columns = {name: getattr(event, name) for name in ("episode_id", "revision", "action", "channel")}
    return columns | {"event_id": str(event.event_id)}


def _require_held(connection: Connection, repeated: Sequence[CodingEvent]) -> None:
    """Refuse events that are not those held under their revision: they are of another history."""
    ids = {str(event.event_id) for event in repeated}
    for some in _in_parts(sorted(ids)):
        ids -= set(connection.scalars(select(CODING_EVENT.c.event_id).where(CODING_EVENT.c.event_id.in_(some))))
    if ids:
        message = (
            f"{len(ids)} events have revisions of which the database holds others ({min(ids)}): those held are of "
            "another topic, or of one that was made anew. Read the topic from its start into an empty database."
        )
        raise NotFollowingError(message)


def _in_parts(ids: Sequence[str]) -> Iterable[Sequence[str]]:
    return (ids[start : start + _EPISODES_AT_ONCE] for start in range(0, len(ids), _EPISODES_AT_ONCE))
