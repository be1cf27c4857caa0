"""Every decision computed anew from the input alone, and held against what billing was told: the recount as a study.

It shares the pure core with the worker and nothing else: no state, no step, no ledger.
"""

from collections.abc import Iterable, Iterator, Sequence

from aiokafka import TopicPartition

from streams.domain.fact import left_behind
from streams.domain.policy import Policy
from streams.intake.decoder import Decoded, Decoder
from streams.intake.rejection import RejectedError, RejectionReason
from streams.kafka.log_reader import Run
from streams.kafka.sealing import Sealing
from streams.processing.dead_letter_source import letter_source, received_headers
from streams.processing.records import InputRecord
from streams.processing.topology import Topology
from streams.recount.bucket import BucketRecount
from streams.recount.comparison import Recount
from streams.recount.entries import (
    EventEntry,
    FactEntry,
    LetterEntry,
    MergeEntry,
    RejectedEntry,
    TurnedAwayEntry,
    decode_entries,
    encode_entry,
)
from streams.recount.episode_scan import may_be_of
from streams.recount.extent import Extent
from streams.recount.letters import digest
from streams.recount.standing import Coordinates, Standing
from streams.replay.input_decoders import input_decoders

_Kept = Iterator[tuple[bytes, bytes]]


class RecountStudy:
    """A `Study` of the inputs, the coding events and the dead letters.

    Args:
        topology: The application's topics.
        extent: What there is, and how to look at it.
        sealing: Opens what was sealed.
        policies: That of now, then earlier ones; they have the same instruments.
    """

    def __init__(self, topology: Topology, extent: Extent, sealing: Sealing, policies: Sequence[Policy]) -> None:
        self._topology = topology
        self._extent = extent
        self._opened = sealing.opened_letter
        self._policies = policies
        decoder = Decoder(policies[0].instruments)
        self._decoders = input_decoders(decoder, topology)
        self._decode_merge = decoder.decode_merge

    def sort(self, run: Run) -> _Kept:
        """Facts and coding events by episode, dead letters and what should be one by where it was first read."""
        if run.partition.topic == self._topology.coding_events:
            return self._events(run)
        if run.partition.topic == self._topology.dead_letter:
            return self._letters(run)
        if run.partition.topic == self._topology.patient_merged:
            return self._merges(run)
        return self._inputs(run)

    def examine(self, chunks: Iterable[bytes]) -> Recount:
        """How the outcome compares with the expectation, over some of the episodes."""
        extent = self._extent
        bucket = BucketRecount(
            self._policies, times=extent.times, is_compacted=extent.is_compacted, merges=extent.merges
        )
        for chunk in chunks:
            bucket.take(decode_entries(chunk))
        return bucket.compared()

    def _inputs(self, run: Run) -> _Kept:
        decode, tp, positions = self._decoders[run.partition.topic], run.partition, self._extent.positions
        turned_away, standing = self._extent.turned_away, Standing.TAKEN_IN
        for record in self._wanted(run):
            if positions is not None:
                standing = positions.standing(tp, record.offset)
            try:
                decoded = decode(record.value, record.headers)
            except RejectedError as error:
                yield from self._rejected(record, standing, error.reason)
                continue
            reason = turned_away.get(_coordinates(record)) if turned_away else None
            yield from self._told(record, decoded, standing, reason)

    def _told(self, record: InputRecord, decoded: Decoded, standing: Standing, reason: RejectionReason | None) -> _Kept:
        """What *record* told the episode that it is linked to, and the one that it has left.

        Args:
            record: Of an input.
            decoded: What it tells.
            standing: How far it has come.
            reason: Why one of the two has turned it away; None where none did.
        """
        episode_id, left = decoded.episode_id, left_behind(decoded.fact, decoded.episode_id)
        is_taken_in = reason is None or reason is RejectionReason.NOT_TAKEN_BACK
        if is_taken_in and self._is_wanted(episode_id.encode()):
            yield episode_id.encode(), encode_entry(FactEntry(episode_id, standing, decoded.fact))
        if reason is None and left is not None and self._is_wanted(left[0].encode()):
            yield left[0].encode(), encode_entry(FactEntry(left[0], standing, left[1]))
        by = left[0] if is_taken_in and left is not None else episode_id
        if reason is not None and self._is_wanted(by.encode()):
            yield from self._rejected(record, standing, reason)
            yield by.encode(), encode_entry(TurnedAwayEntry(by, str(_coordinates(record)), reason))

    def _merges(self, run: Run) -> _Kept:
        positions, standing = self._extent.positions, Standing.TAKEN_IN
        for record in run.records:
            if positions is not None:
                standing = positions.standing(run.partition, record.offset)
            try:
                self._decode_merge(record.value, record.headers)
            except RejectedError as error:
                yield from self._rejected(record, standing, error.reason)
            else:
                yield b"", encode_entry(MergeEntry(standing))

    def _rejected(self, record: InputRecord, standing: Standing, reason: RejectionReason) -> _Kept:
        coordinates = _coordinates(record)
        if self._is_late_enough(coordinates):
            source, received = str(coordinates), digest(record.key, record.value, record.headers)
            yield source.encode(), encode_entry(RejectedEntry(source, standing, reason, received))

    def _letters(self, run: Run) -> _Kept:
        for record in run.records:
            told = letter_source(record.headers)
            if told is None:
                source = str(_coordinates(record))
                yield source.encode(), encode_entry(LetterEntry(source, "", b""))
            elif self._is_late_enough(Coordinates(told.topic, told.partition, told.offset)):
                source, opened = str(told), self._opened(record)
                received = digest(opened.key, opened.value, received_headers(opened.headers))
                yield source.encode(), encode_entry(LetterEntry(source, told.reason, received))

    def _events(self, run: Run) -> _Kept:
        for record in run.records:
            episode = record.key or b""
            if self._is_wanted(episode):
                yield episode, encode_entry(EventEntry(record.value))

    # -----------------------------------------------------------------------------------------
    # Where only what came lately is recounted
    # -----------------------------------------------------------------------------------------
    def _wanted(self, run: Run) -> Iterable[InputRecord]:
        lately = self._extent.lately
        if lately is None:
            return run.records
        since = lately.offsets[run.partition]
        return (r for r in run.records if r.offset >= since or may_be_of(r.value, lately.episodes))

    def _is_wanted(self, episode: bytes) -> bool:
        lately = self._extent.lately
        return lately is None or episode in lately.episodes

    def _is_late_enough(self, coordinates: Coordinates) -> bool:
        lately = self._extent.lately
        if lately is None:
            return True
        return coordinates.offset >= lately.offsets.get(TopicPartition(coordinates.topic, coordinates.partition), 0)


def _coordinates(record: InputRecord) -> Coordinates:
    return Coordinates(record.topic, record.partition, record.offset)
