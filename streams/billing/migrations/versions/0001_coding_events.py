"""Coding events, what they come to, and how far the topic was read."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

_IDENTIFIER = sa.String(256)
_UUID = sa.String(36)


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "coding_event",
        sa.Column("episode_id", _IDENTIFIER, nullable=False),
        sa.Column("revision", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("event_id", _UUID, nullable=False),
        sa.Column("prior_event_id", _UUID),
        sa.Column("action", sa.String(8), nullable=False),
        sa.Column("code", sa.String(8), nullable=False),
        sa.Column("channel", sa.String(8), nullable=False),
        sa.Column("charge", sa.Numeric(24, 12), nullable=False),
        sa.Column("patient_id", _IDENTIFIER, nullable=False),
        *(
            sa.Column(name, _IDENTIFIER)
            for name in ("encounter_id", "payer_id", "rendering_npi", "facility_id", "place_of_service")
        ),
        sa.Column("service_date", sa.Date, nullable=False),
        sa.Column("event", sa.Text, nullable=False, comment="the record's value: CodingEvent as JSON"),
        sa.PrimaryKeyConstraint("episode_id", "revision", name="pk_coding_event"),
        sa.UniqueConstraint("event_id", name="uq_coding_event_event_id"),
    )
    op.create_table(
        "standing_code",
        sa.Column("episode_id", _IDENTIFIER, nullable=False),
        sa.Column("revision", sa.Integer, nullable=False),
        sa.Column("event_id", _UUID, nullable=False),
        sa.Column("action", sa.String(8), nullable=False, comment="void: nothing is to be billed"),
        sa.Column("channel", sa.String(8), nullable=False),
        sa.PrimaryKeyConstraint("episode_id", name="pk_standing_code"),
        sa.UniqueConstraint("event_id", name="uq_standing_code_event_id"),
        sa.ForeignKeyConstraint(["event_id"], ["coding_event.event_id"], name="fk_standing_code_event_id"),
    )
    op.create_index("ix_standing_code_channel", "standing_code", ["channel", "action"])
    op.create_table(
        "topic_position",
        sa.Column("topic", sa.String(249), nullable=False),
        sa.Column("partition", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("next_offset", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("topic", "partition", name="pk_topic_position"),
    )
