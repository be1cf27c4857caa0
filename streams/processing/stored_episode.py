"""How an episode is kept, in memory and in the changelog: so that most facts are added without reading it.

Theory of operation. The union of facts is also a union of bytes: a fact that is not yet in an episode is written
behind those that are. A code needs a survey or two, by the policy, and a treatment (`streams.domain.coder`), so an
episode with fewer, of which billing was told nothing, need be neither decoded nor decided (`with_new_facts`); any other
is decided, and only its ledger written anew (`grown`). Where a fact may be known already, it is read whole, by
`streams.domain.coder.advance` (``tests/unit/test_stored_episode.py`` is the law that all say the same).

A value is big-endian and has three parts:

    head     format (1 byte), newest Kafka timestamp in ms (8), surveys (4), treatments (4), length of the tail (4)
    tail     MessagePack of the transport events that came with two contents, of the ledger, and of patients who were
             merged into others; none if all are empty
    facts    MessagePack, one behind the other, arrays without field names; in no order
"""

import struct
from collections.abc import Callable, Sequence
from typing import NamedTuple

import msgspec

from streams.domain.coder import CodedEpisode, may_be_coded
from streams.domain.episode import Arrival, Episode, transport_event
from streams.domain.fact import Fact, Survey
from streams.domain.ledger import Ledger
from streams.domain.policy import Policy
from streams.processing.changelog import ChangelogFormatError

_FORMAT = 1
_HEAD = struct.Struct(">BQIII")
_pack_head, _unpack_head, _HEAD_BYTES = _HEAD.pack, _HEAD.unpack_from, _HEAD.size
_NOTHING = _pack_head(_FORMAT, 0, 0, 0, 0)

_ARRAY_32 = b"\xdd"  # MessagePack: an array, its length in the four bytes that follow
_FIXED_ARRAY_BYTES = 1
_FIXED_ARRAY_LENGTH_MAX, _ARRAY_16_LENGTH_MAX = 15, 65_535


class EpisodeFormatError(ChangelogFormatError):
    """A value is no episode as this version writes it."""


class _Tail(msgspec.Struct, frozen=True, array_like=True):
    contested: tuple[tuple[str, str], ...]
    ledger: Ledger
    survivors: tuple[tuple[str, str], ...] = ()


_encode = msgspec.msgpack.Encoder().encode
_decode_tail = msgspec.msgpack.Decoder(_Tail).decode
_decode_fact: Callable[[bytes], Fact] = msgspec.msgpack.Decoder(Fact).decode
_decode_facts = msgspec.msgpack.Decoder(tuple[Fact, ...]).decode
_OTHER_FORMAT = "The changelog holds an episode in a format of another version: start a worker of that version."
_EMPTY_TAIL = _Tail((), Ledger())


def encode_episode(coded: CodedEpisode) -> bytes:
    """The bytes of *coded*."""
    episode = coded.episode
    surveys = [type(fact) for fact in episode.facts].count(Survey)
    tail = _encoded_tail(_Tail(episode.contested, coded.ledger, coded.survivors))
    head = _pack_head(_FORMAT, episode.newest_timestamp_ms, surveys, len(episode.facts) - surveys, len(tail))
    return head + tail + _without_length(_encode(episode.facts), len(episode.facts))


def decode_episode(value: bytes) -> CodedEpisode:
    """The episode in *value*.

    Raises:
        EpisodeFormatError: The changelog holds what this version did not write.
    """
    newest_timestamp_ms, surveys, treatments, tail_bytes = _parts(value)
    facts_at = _HEAD_BYTES + tail_bytes
    tail, facts = _decoded(value[_HEAD_BYTES:facts_at], value[facts_at:], surveys + treatments)
    in_order = sorted(facts, key=transport_event)
    return CodedEpisode(Episode(tuple(in_order), newest_timestamp_ms, tail.contested), tail.ledger, tail.survivors)


def check_format(value: bytes) -> None:
    """Hold that *value* is an episode as this version writes it, as far as its head says.

    Raises:
        EpisodeFormatError: It is not.
    """
    _parts(value)


class EncodedArrival(msgspec.Struct, frozen=True, gc=False):
    """An arrival as it will be kept: what a record was decoded to can go while the processor has it at hand."""

    fact: bytes
    event: bytes
    """The name of its transport event, as it stands in the bytes of the fact."""
    is_survey: bool
    timestamp_ms: int

    @classmethod
    def of(cls, fact: Fact, timestamp_ms: int) -> "EncodedArrival":
        """*fact*, of a record with *timestamp_ms*."""
        return cls(_encode(fact), _event_bytes(fact), type(fact) is Survey, timestamp_ms)

    def decoded(self) -> Arrival:
        """The arrival that it was."""
        return Arrival(_decode_fact(self.fact), self.timestamp_ms)


def with_new_facts(value: bytes | None, arrivals: Sequence[EncodedArrival], policy: Policy) -> bytes | None:
    """*value* with *arrivals* behind it; None where the episode must be read.

    Args:
        value: The episode so far; None where there is none.
        arrivals: In the order in which they came.
        policy: By which it would be decided.
    """
    value = _NOTHING if value is None else value
    newest_timestamp_ms, surveys, treatments, tail_bytes = _parts(value)
    for arrival in arrivals:
        if arrival.is_survey:
            surveys += 1
        else:
            treatments += 1
        newest_timestamp_ms = max(newest_timestamp_ms, arrival.timestamp_ms)
    if tail_bytes or may_be_coded(surveys, treatments, policy):
        return None
    for arrival in arrivals:
        if arrival.event in value:
            return None
        value += arrival.fact
    return _pack_head(_FORMAT, newest_timestamp_ms, surveys, treatments, 0) + value[_HEAD_BYTES:]


class GrownEpisode(msgspec.Struct, frozen=True, gc=False):
    """An episode that facts were added to, read so far that it can be decided."""

    facts: tuple[Fact, ...]
    """In no order."""
    newest_timestamp_ms: int
    survey_count: int
    tail: _Tail
    encoded_facts: bytes

    @property
    def ledger(self) -> Ledger:
        """What billing was told so far."""
        return self.tail.ledger

    def with_ledger(self, ledger: Ledger, survivors: tuple[tuple[str, str], ...] = ()) -> bytes:
        """The bytes of this episode, with *ledger* and *survivors* in place of its own."""
        tail = _encoded_tail(_Tail(self.tail.contested, ledger, survivors))
        treatments = len(self.facts) - self.survey_count
        head = _pack_head(_FORMAT, self.newest_timestamp_ms, self.survey_count, treatments, len(tail))
        return head + tail + self.encoded_facts


def grown(value: bytes | None, arrivals: Sequence[EncodedArrival]) -> GrownEpisode | None:
    """*value* with *arrivals* behind it, to be decided; None where it may know one of them.

    Raises:
        EpisodeFormatError: The changelog holds what this version did not write.
    """
    value = _NOTHING if value is None else value
    newest_timestamp_ms, surveys, _, tail_bytes = _parts(value)
    facts_at = _HEAD_BYTES + tail_bytes
    encoded_facts = value[facts_at:]
    for arrival in arrivals:
        if arrival.event in encoded_facts:
            return None
        encoded_facts += arrival.fact
        surveys += arrival.is_survey
        newest_timestamp_ms = max(newest_timestamp_ms, arrival.timestamp_ms)
    count = fact_count(value) + len(arrivals)
    tail, facts = _decoded(value[_HEAD_BYTES:facts_at], encoded_facts, count)
    return GrownEpisode(facts, newest_timestamp_ms, surveys, tail, encoded_facts)


class Head(NamedTuple):
    """What is said of an episode before its facts, so that they need not be read."""

    newest_timestamp_ms: int
    survey_count: int
    treatment_count: int


def head_of(value: bytes) -> Head:
    """The head of *value*."""
    return Head(*_parts(value)[:3])


def may_wait(value: bytes) -> bool:
    """Whether the episode in *value* may wait for a follow-up: it has facts to be coded by, and no code.

    Raises:
        EpisodeFormatError: The changelog holds what this version did not write.
    """
    _, surveys, treatments, tail_bytes = _parts(value)
    if not surveys or not treatments:
        return False
    tail, _ = _decoded(value[_HEAD_BYTES : _HEAD_BYTES + tail_bytes], b"", 0)
    return tail.ledger.active is None


def fact_count(value: bytes) -> int:
    """How many facts *value* holds."""
    _, surveys, treatments, _ = _parts(value)
    return surveys + treatments


def patients_of(value: bytes) -> set[str]:
    """The patients whom the facts of *value* name.

    Raises:
        EpisodeFormatError: The changelog holds what this version did not write.
    """
    _, surveys, treatments, tail_bytes = _parts(value)
    _, facts = _decoded(b"", value[_HEAD_BYTES + tail_bytes :], surveys + treatments)
    return {fact.patient_id for fact in facts}


def may_hold_event(value: bytes, fact: Fact) -> bool:
    """False only where the transport event of *fact* is not in *value*.

    Where the bytes of its name are nowhere, it is not there; where they are, they may be something else's.
    """
    return _event_bytes(fact) in value


def may_hold_version(value: bytes, fact: Fact) -> bool:
    """False only where no version of the survey or treatment of *fact* is in *value*."""
    _, record_id = fact.identity
    return _encode(record_id) in value


def _encoded_tail(tail: _Tail) -> bytes:
    return _encode(tail) if tail.ledger.entries or tail.contested or tail.survivors else b""


def _event_bytes(fact: Fact) -> bytes:
    return _encode(transport_event(fact))[_FIXED_ARRAY_BYTES:]


def _decoded(tail: bytes, facts: bytes, count: int) -> tuple[_Tail, tuple[Fact, ...]]:
    length = _ARRAY_32 + (count & 0xFFFF_FFFF).to_bytes(4, "big")
    try:
        return _decode_tail(tail) if tail else _EMPTY_TAIL, _decode_facts(length + facts)
    except (msgspec.DecodeError, UnicodeDecodeError):  # their texts show what was to be decoded
        raise EpisodeFormatError(_OTHER_FORMAT) from None


def _parts(value: bytes) -> tuple[int, int, int, int]:
    try:
        format_number, newest_timestamp_ms, surveys, treatments, tail_bytes = _unpack_head(value)
    except struct.error:
        format_number = -1
    if format_number != _FORMAT:
        raise EpisodeFormatError(_OTHER_FORMAT)
    return newest_timestamp_ms, surveys, treatments, tail_bytes


def _without_length(facts: bytes, count: int) -> bytes:
    if count <= _FIXED_ARRAY_LENGTH_MAX:
        return facts[_FIXED_ARRAY_BYTES:]
    return facts[3:] if count <= _ARRAY_16_LENGTH_MAX else facts[5:]
