"""A sealed dead letter shows why, and nothing of what; opened, it is the record as it was received."""

from hypothesis import given, settings
from hypothesis import strategies as st

from streams.intake.rejection import RejectedError, RejectionReason
from streams.processing.dead_letter import ADDED, dead_letter
from streams.processing.encryption import EnvelopeCipher
from streams.processing.encryption_keys import parse_keys
from streams.processing.rekeying import origin_of
from streams.processing.sealed_dead_letter import SEALED, OpenedDeadLetter, open_dead_letter, seal_dead_letter
from streams.processing.topology import InputKind
from tests.canaries import CANARY, HEADERS, KEY, found_in
from tests.tasks_in_memory import Record
from tests.unit.test_encryption import OLD

CIPHER = EnvelopeCipher(parse_keys(OLD))
REJECTED = RejectedError(RejectionReason.INVALID, "patient_id: Field required")

received = st.builds(
    Record,
    topic=st.just("survey-completed"),
    partition=st.integers(0, 5),
    offset=st.integers(0, 9),
    timestamp=st.just(0),
    key=st.none() | st.binary(max_size=9),
    value=st.none() | st.binary(max_size=99),
    headers=st.lists(st.tuples(st.text(max_size=5), st.binary(max_size=5))).map(tuple),
)


def written(record: Record) -> Record:
    """The sealed dead letter of *record*, as it is read again."""
    letter = dead_letter(record, origin_of(record, InputKind.SURVEY), REJECTED, topic="dead-letter", partition=1)
    sealed = seal_dead_letter(letter, CIPHER)
    return Record(sealed.topic, sealed.partition, 0, 0, sealed.key, sealed.value, sealed.headers)


@settings(max_examples=100, deadline=None)
@given(received)
def test_opened_it_is_the_dead_letter_without_encryption(record: Record) -> None:
    """Byte for byte, as the contract says: key, value, headers, then the reason."""
    plain = dead_letter(record, origin_of(record, InputKind.SURVEY), REJECTED, topic="dead-letter", partition=1)

    opened = open_dead_letter(written(record), CIPHER)

    assert opened == OpenedDeadLetter(plain.key, plain.value, tuple(plain.headers))
    as_it_is = Record("dead-letter", 1, 0, 0, plain.key, plain.value, plain.headers)
    assert open_dead_letter(as_it_is, CIPHER) == opened


def test_sealed_it_shows_why_and_nothing_else() -> None:
    """Whoever counts reasons needs no key."""
    letter = written(Record("survey-completed", 0, 7, 0, KEY, CANARY.encode(), HEADERS))

    assert [name for name, _ in letter.headers] == [*ADDED, SEALED]
    assert dict(letter.headers)["g9603-reason"] == b"invalid"
    assert found_in(repr(letter).encode()) == []
