"""A billing database holds what was told, whatever the batches, on SQLite and on PostgreSQL; or it says why not."""

import json
from collections.abc import Sequence
from itertools import count
from typing import Any, NamedTuple

import orjson
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, func, select

from streams.billing.book import BillingBook, Passage
from streams.billing.engine import open_database, upgrade
from streams.billing.refusals import BillingRefusedError, NotFollowingError, PositionTakenError
from streams.billing.tables import CODING_EVENT, METADATA, STANDING_CODE
from streams.domain.coding import Coding, coding_of
from streams.domain.decision import Coded, decide
from streams.domain.ledger import Ledger
from tests.billing_consumer import billed
from tests.episode_notation import facts_of
from tests.policies_for_tests import DEFAULT

TOPIC = "coding-events"
_topics = count()


class Record(NamedTuple):
    """As much of a Kafka record as is looked at."""

    offset: int
    value: bytes
    topic: str = TOPIC
    partition: int = 0
    timestamp: int = 0
    key: bytes | None = None
    headers: Sequence[tuple[str, bytes]] = ()


def coding(episode: str) -> Coding:
    decision = decide(facts_of(episode), DEFAULT)
    assert isinstance(decision, Coded)
    return coding_of(decision, DEFAULT)


BETTER = coding("odi 48 @-3d | T | odi 22 @+60d")
CORRECTED = coding("odi 48 @-3d | T | odi 24 @+60d v2")
COURSES = st.lists(st.sampled_from([None, BETTER, CORRECTED]), min_size=1, max_size=5)


def events_of(episode_id: str, course: Sequence[Coding | None]) -> list[dict[str, Any]]:
    """What billing is told of an episode that is decided on one after the other."""
    ledger = Ledger()
    for at, decided in enumerate(course):
        ledger = ledger.brought_to(decided, episode_id=episode_id, decided_at_ms=at).ledger
    events: list[dict[str, Any]] = json.loads(orjson.dumps(list(ledger.events(episode_id))))
    return events


def records_of(events: Sequence[dict[str, Any]], *, begin: int = 0) -> list[Record]:
    return [Record(begin + number, orjson.dumps(event)) for number, event in enumerate(events)]


def passage(records: Sequence[Record], position: int = 0) -> Passage:
    """*records* in one go, from *position* on."""
    return Passage(0, position, records[-1].offset + 1, records)


def held(engine: Engine) -> dict[str, str]:
    """The standing event of each episode that has one."""
    active = select(STANDING_CODE).where(STANDING_CODE.c.action != "void")
    with engine.begin() as connection:
        return {row.episode_id: row.event_id for row in connection.execute(active)}


def event_count(engine: Engine) -> int:
    with engine.begin() as connection:
        return connection.scalar(select(func.count()).select_from(CODING_EVENT)) or 0


def begun(engine: Engine) -> BillingBook:
    """The book of an empty topic with one partition."""
    book = BillingBook(engine, TOPIC)
    assert book.positions([0]) == {0: 0}
    return book


EVENTS = events_of("episode-1", [BETTER, CORRECTED, None, BETTER])


def test_migrations_and_tables_agree(database: Engine) -> None:
    """What alembic makes is what the code expects; a second start finds nothing to do."""
    with database.begin() as connection:
        upgrade(connection)
        assert compare_metadata(MigrationContext.configure(connection), METADATA) == []


def test_a_course_in_one_go(database: Engine) -> None:
    """New, replaced, void, new again: the last one stands, and all are kept as they were told."""
    book = begun(database)

    assert book.write([passage(records_of(EVENTS))]) == len(EVENTS)
    assert held(database) == {"episode-1": EVENTS[-1]["event_id"]}
    assert book.positions([0, 1]) == {0: len(EVENTS), 1: 0}
    with database.begin() as connection:
        kept = connection.execute(select(CODING_EVENT).order_by(CODING_EVENT.c.revision)).all()
    assert [json.loads(row.event) for row in kept] == EVENTS
    assert [row.prior_event_id for row in kept] == [event["prior_event_id"] for event in EVENTS]
    assert [str(row.service_date) for row in kept] == [event["service_date"] for event in EVENTS]


def test_read_from_the_start_again(database: Engine) -> None:
    """What is held already changes nothing."""
    book = begun(database)
    book.write([passage(records_of(EVENTS))])

    again = records_of(EVENTS, begin=len(EVENTS))

    assert book.write([passage(again, position=len(EVENTS))]) == 0
    assert held(database) == {"episode-1": EVENTS[-1]["event_id"]}


def test_another_sink_has_moved_on(database: Engine) -> None:
    """Nothing is written by the one that is behind."""
    book, other = begun(database), BillingBook(database, TOPIC)
    other.write([passage(records_of(EVENTS[:2]))])

    with pytest.raises(PositionTakenError, match="coding-events-0: the database does not stand at 0"):
        book.write([passage(records_of(EVENTS))])

    assert event_count(database) == 2
    assert book.positions([0]) == {0: 2}


@pytest.mark.parametrize("left_out", range(len(EVENTS) - 1))
def test_an_event_is_missing(tmp_path: object, left_out: int) -> None:
    """A gap is refused, wherever it is, and the whole batch with it."""
    database = open_database(f"sqlite:///{tmp_path}/billing.sqlite")
    book = begun(database)
    told = [event for number, event in enumerate(EVENTS) if number != left_out]

    with pytest.raises(NotFollowingError, match="does not follow on what the database holds"):
        book.write([passage(records_of(told))])

    assert event_count(database) == 0
    assert book.positions([0]) == {0: 0}
    database.dispose()


def test_another_history(database: Engine) -> None:
    """A topic that was made anew has other events under the same revisions."""
    book = begun(database)
    book.write([passage(records_of(EVENTS))])
    other = records_of(events_of("episode-1", [CORRECTED]), begin=len(EVENTS))

    with pytest.raises(NotFollowingError, match="1 events have revisions of which the database holds others"):
        book.write([passage(other, position=len(EVENTS))])


@pytest.mark.parametrize(
    "value", [b"", b"{", b'{"patient_id": "Jane Roe"}', orjson.dumps(EVENTS[0] | {"charge": "Roe"})]
)
def test_no_coding_event(tmp_path: object, value: bytes) -> None:
    """It says where, and never what."""
    database = open_database(f"sqlite:///{tmp_path}/billing.sqlite")

    with pytest.raises(BillingRefusedError, match=r"coding-events-0@7 is no coding event") as refused:
        begun(database).write([passage([Record(7, value)])])

    assert "Roe" not in str(refused.value)
    database.dispose()


@pytest.mark.parametrize("url", ["", "billing.sqlite", "mysql://billing@localhost/billing", "sqlite+nothing:///a"])
def test_another_database(url: str) -> None:
    """SQLite or PostgreSQL, and a sentence for whoever has another."""
    with pytest.raises(BillingRefusedError, match="set G9603_BILLING_DATABASE"):
        open_database(url)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(courses=st.lists(COURSES, min_size=1, max_size=4), data=st.data())
def test_batches_do_not_matter(database: Engine, courses: list[list[Coding | None]], data: st.DataObject) -> None:
    """However episodes interleave and the log is cut: what stands is what a consumer that checks everything holds."""
    topic = f"topic-{next(_topics)}"
    told = {f"{topic}-{number}": events_of(f"{topic}-{number}", course) for number, course in enumerate(courses)}
    order = data.draw(st.permutations([episode for episode, events in told.items() for _ in events]))
    left = {episode: iter(events) for episode, events in told.items()}
    records = records_of([next(left[episode]) for episode in order])
    book, position = BillingBook(database, topic), 0
    book.positions([0])
    while position < len(records):
        size = data.draw(st.integers(1, len(records) - position))
        some = records[position : position + size]
        assert book.write([passage(some, position)]) == size
        position += size

    standing = {episode: billed(events) for episode, events in told.items()}
    mine = {episode: event_id for episode, event_id in held(database).items() if episode.startswith(f"{topic}-")}
    assert mine == {episode: event["event_id"] for episode, event in standing.items() if event is not None}
