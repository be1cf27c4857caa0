"""What is exported is marked, on SQLite and on PostgreSQL: once, and not before it is written."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Connection, Engine, select

from schemas.vocabulary import Channel
from streams.billing.exporting import export_events
from streams.billing.reading import read_history, read_last
from streams.billing.tables import EXPORTED_EVENT
from tests.billing.test_book import BETTER, CORRECTED, begun, events_of, passage, records_of

EVENTS = events_of("episode-1", [BETTER, CORRECTED, None])


def ids(connection: Connection) -> Iterator[str]:
    return (str(told.event.event_id) for told in read_history(connection, new_in="dft"))


def exported(database: Engine) -> list[str]:
    """What an export finds that is new."""
    written: list[str] = []

    def write(connection: Connection) -> Iterator[str]:
        for event_id in ids(connection):
            written.append(event_id)
            yield event_id

    assert export_events(database, "dft", write, lambda: None) == len(written)
    return written


def test_each_event_once(database: Engine) -> None:
    """What comes after an export is in the next; an event is told with what stood before it, exported or not."""
    book = begun(database)
    told = [event["event_id"] for event in EVENTS]
    book.write([passage(records_of(EVENTS[:1]))])
    assert exported(database) == told[:1]
    assert exported(database) == []

    book.write([passage(records_of(EVENTS[1:], begin=1), position=1)])
    with database.begin() as connection:
        priors = [change.prior and str(change.prior.event_id) for change in read_history(connection, new_in="dft")]

    assert priors == told[:2]
    assert exported(database) == told[1:]
    assert exported(database) == []


def test_an_export_that_is_interrupted(database: Engine) -> None:
    """Nothing of it is marked: the next one has it all."""
    begun(database).write([passage(records_of(EVENTS))])

    def broken() -> None:
        raise BrokenPipeError

    with pytest.raises(BrokenPipeError):
        export_events(database, "dft", ids, broken)

    assert exported(database) == [event["event_id"] for event in EVENTS]


def test_formats_do_not_know_each_other(database: Engine) -> None:
    """And where only the last of an episode is exported, those before it are not marked."""
    begun(database).write([passage(records_of(EVENTS))])

    def last(connection: Connection) -> Iterator[str]:
        return (str(event.event_id) for event in read_last(connection, *Channel, new_in="charge-item"))

    assert export_events(database, "charge-item", last, lambda: None) == 1
    assert export_events(database, "charge-item", last, lambda: None) == 0
    with database.begin() as connection:
        (mark,) = connection.execute(select(EXPORTED_EVENT))
    assert (mark.format, mark.event_id) == ("charge-item", EVENTS[-1]["event_id"])
    assert mark.exported_at is not None
    assert len(exported(database)) == len(EVENTS)
