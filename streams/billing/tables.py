"""The tables of a billing database, as `migrations/` makes them.

``coding_event`` is what was told, event by event; it is only added to. ``standing_code`` is what that comes to: a row
per episode, of its last event. ``topic_position`` is how far the topic was read; it moves in the same transaction.
``exported_event`` is what `g9603 billing export` has written, in each format.
"""

from sqlalchemy import (
    BigInteger,
    Column,
    Date,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    Numeric,
    String,
    Table,
    Text,
    func,
)

from schemas.fields import IDENTIFIER_LENGTH_MAX

METADATA = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
    }
)

_UUID_LENGTH = 36
_TOPIC_LENGTH_MAX = 249
"""Kafka's own bound of a topic's name."""


def _identifier(name: str, *, nullable: bool = False) -> Column[str]:
    return Column(name, String(IDENTIFIER_LENGTH_MAX), nullable=nullable)


CODING_EVENT = Table(
    "coding_event",
    METADATA,
    Column("episode_id", String(IDENTIFIER_LENGTH_MAX), primary_key=True),
    Column("revision", Integer, primary_key=True, autoincrement=False),
    Column("event_id", String(_UUID_LENGTH), nullable=False, unique=True),
    Column("prior_event_id", String(_UUID_LENGTH)),
    Column("action", String(8), nullable=False),
    Column("code", String(8), nullable=False),
    Column("channel", String(8), nullable=False),
    Column("charge", Numeric(24, 12), nullable=False),
    _identifier("patient_id"),
    _identifier("encounter_id", nullable=True),
    _identifier("payer_id", nullable=True),
    _identifier("rendering_npi", nullable=True),
    _identifier("facility_id", nullable=True),
    _identifier("place_of_service", nullable=True),
    Column("service_date", Date, nullable=False),
    Column("event", Text, nullable=False, comment="the record's value: CodingEvent as JSON"),
)

STANDING_CODE = Table(
    "standing_code",
    METADATA,
    Column("episode_id", String(IDENTIFIER_LENGTH_MAX), primary_key=True),
    Column("revision", Integer, nullable=False),
    Column("event_id", String(_UUID_LENGTH), ForeignKey(CODING_EVENT.c.event_id), nullable=False, unique=True),
    Column("action", String(8), nullable=False, comment="void: nothing is to be billed"),
    Column("channel", String(8), nullable=False),
    Index("ix_standing_code_channel", "channel", "action"),
)

TOPIC_POSITION = Table(
    "topic_position",
    METADATA,
    Column("topic", String(_TOPIC_LENGTH_MAX), primary_key=True),
    Column("partition", Integer, primary_key=True, autoincrement=False),
    Column("next_offset", BigInteger, nullable=False),
)

EXPORTED_EVENT = Table(
    "exported_event",
    METADATA,
    Column("format", String(16), primary_key=True),
    Column("event_id", String(_UUID_LENGTH), ForeignKey(CODING_EVENT.c.event_id), primary_key=True),
    Column("exported_at", DateTime(timezone=True), server_default=func.now(), nullable=False),
)
