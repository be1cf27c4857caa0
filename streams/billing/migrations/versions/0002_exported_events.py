"""Which events were exported, and in which format."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Make the table; what was exported before it is new once more."""
    op.create_table(
        "exported_event",
        sa.Column("format", sa.String(16), nullable=False),
        sa.Column("event_id", sa.String(36), nullable=False),
        sa.Column("exported_at", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False),
        sa.PrimaryKeyConstraint("format", "event_id", name="pk_exported_event"),
        sa.ForeignKeyConstraint(["event_id"], ["coding_event.event_id"], name="fk_exported_event_event_id"),
    )
