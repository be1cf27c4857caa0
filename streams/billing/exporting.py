"""Exports what is new, and remembers it: once each, and once more where it was interrupted before it was all written.

What was written and that it was cannot be one transaction. So an event is marked after its export is out of our hands;
whoever reads knows one that comes again by its id.
"""

from collections.abc import Callable, Iterable

from sqlalchemy import Connection, Engine, insert, text

from streams.billing.tables import EXPORTED_EVENT

_EXPORT_LOCK = 9604
"""Of PostgreSQL's advisory locks: of two exports at a time one waits, and then finds what is left. SQLite has one
writer anyway."""


def export_events(
    engine: Engine, export_format: str, write: Callable[[Connection], Iterable[str]], flush: Callable[[], None]
) -> int:
    """Write events, and mark them; how many.

    Args:
        engine: The database.
        export_format: What they are marked as exported in.
        write: Writes them, and gives their ids.
        flush: Returns when all that was written is out of our hands.
    """
    with engine.begin() as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _EXPORT_LOCK})
        event_ids = list(write(connection))
        flush()
        if event_ids:
            marks = [{"format": export_format, "event_id": event_id} for event_id in event_ids]
            connection.execute(insert(EXPORTED_EVENT), marks)
    return len(event_ids)
