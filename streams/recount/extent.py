"""What is there to recount, and how far have the workers come with it? Asked of the brokers, in the one right order."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from aiokafka import TopicPartition

from streams.domain.fact import left_behind
from streams.intake.decoder import Decoder
from streams.intake.rejection import RejectedError, RejectionReason
from streams.kafka.log_reader import OffsetRange, log_ranges, offsets_at, read_log, read_ranges
from streams.kafka.stable_offsets import stable_offsets, until_settled
from streams.kafka.topic_admin import topic_admin
from streams.processing.agenda import begun_hour_ms
from streams.processing.dead_letter_source import letter_source
from streams.processing.rekeying import arrived_origin
from streams.processing.topology import Topology
from streams.recount.partition_times import PartitionTimes, Span
from streams.recount.standing import Coordinates, GroupPositions, Standing
from streams.recount.told_merges import ToldMerge, told_merges
from streams.replay.input_decoders import Decode

_Ranges = Mapping[TopicPartition, OffsetRange]
_BY_THE_EPISODE = (RejectionReason.EPISODE_FULL, RejectionReason.EPISODE_FORGOTTEN, RejectionReason.NOT_TAKEN_BACK)
"""For these an episode turns a record away that can be read."""


@dataclass(frozen=True, slots=True)
class Lately:
    """What a recount is narrowed to."""

    offsets: Mapping[TopicPartition, int]
    """Where each input stands at the time from which on it is."""
    episodes: frozenset[bytes]
    """The ids of the episodes with input since."""


@dataclass(frozen=True, slots=True)
class Extent:
    """Everything that a recount reads, and how to look at it. It can be passed to another process."""

    ranges: _Ranges
    positions: GroupPositions | None = None
    """None where the workers have read everything."""
    turned_away: Mapping[Coordinates, RejectionReason] = field(default_factory=dict)
    """Dead letters of full and of forgotten episodes: what was there first, only the worker that took it in can say."""
    lately: Lately | None = None
    """None where every episode is recounted."""
    is_compacted: bool = False
    """Whether the billing topic keeps only the last events of an episode, as its consumers may choose."""
    times: PartitionTimes = field(default_factory=PartitionTimes)
    merges: tuple[ToldMerge, ...] = ()
    """All merges of patients."""

    def begun_late(self, topics: Collection[str]) -> list[str]:
        """Partitions of *topics* whose first records are gone."""
        late = [tp for tp, wanted in self.ranges.items() if tp.topic in topics and wanted.begin > 0]
        return [f"{tp.topic}-{tp.partition}" for tp in sorted(late)]


async def extent_of(
    connection: Mapping[str, Any],
    topology: Topology,
    *,
    group_id: str | None = None,
    since_ms: int | None = None,
    decoders: Mapping[str, Decode] = MappingProxyType({}),
) -> Extent:
    """Look up what there is now.

    Args:
        connection: Options of an aiokafka client.
        topology: The application's topics.
        group_id: The workers' group; None where it has read everything.
        since_ms: Recount only episodes with input from this Kafka timestamp on; with all of their input.
        decoders: Of each input topic; needed for that.
    """
    positions, is_compacted = None, False
    if group_id is None:
        outputs = await log_ranges(connection, [topology.coding_events, topology.dead_letter])
    else:
        sources = await log_ranges(connection, topology.sources)
        before = await stable_offsets(connection, group_id, sources)
        in_transit = await log_ranges(connection, [topology.episodes_rekey])
        outputs = await log_ranges(connection, [topology.coding_events, topology.dead_letter])
        # What is read up to there is committed by then, and the offsets that were committed with it show after that.
        await until_settled(connection, {tp: wanted.end for tp, wanted in outputs.items()})
        after = await stable_offsets(connection, group_id, sources)
        travelling = await _travelling(connection, in_transit, before, after)
        positions = GroupPositions(before, after, travelling)
        is_compacted = await _is_compacted(connection, topology.coding_events)
    inputs = await log_ranges(connection, topology.kinds)
    lately = None if since_ms is None else await _lately(connection, inputs, since_ms, decoders)
    return Extent(
        {**inputs, **outputs},
        positions,
        await _turned_away(connection, topology),
        lately,
        is_compacted,
        await _times(connection, topology, positions),
        await _merges(connection, inputs, topology, positions),
    )


async def _merges(
    connection: Mapping[str, Any], inputs: _Ranges, topology: Topology, positions: GroupPositions | None
) -> tuple[ToldMerge, ...]:
    ranges = {tp: wanted for tp, wanted in inputs.items() if tp.topic == topology.patient_merged}
    records = [record async for run in read_ranges(connection, ranges) for record in run.records]
    return told_merges(records, Decoder({}), positions)


async def _is_compacted(connection: Mapping[str, Any], topic: str) -> bool:
    async with topic_admin(connection) as admin:
        config = await admin.config_of(topic)
    return config is not None and "compact" in config.get("cleanup.policy", "")


async def _travelling(
    connection: Mapping[str, Any],
    in_transit: _Ranges,
    before: Mapping[TopicPartition, int],
    after: Mapping[TopicPartition, int],
) -> dict[Coordinates, Standing]:
    unread = {tp: OffsetRange(max(wanted.begin, before.get(tp, 0)), wanted.end) for tp, wanted in in_transit.items()}
    found = {}
    async for run in read_ranges(connection, unread):
        for record in run.records:
            origin = arrived_origin(record)
            # What is on its way to the episode that it leaves is in its own already.
            moving = origin.leaves or record.offset < after.get(run.partition, 0)
            found[Coordinates(origin.topic, origin.partition, origin.offset)] = (
                Standing.MOVING if moving else Standing.WAITING
            )
    return found


async def _times(connection: Mapping[str, Any], topology: Topology, positions: GroupPositions | None) -> PartitionTimes:
    ranges = await log_ranges(connection, [topology.ticks])
    spans = {tp.partition: Span() for tp in ranges}
    async for run in read_ranges(connection, ranges):
        for tick in run.records:
            hour_ms, span = begun_hour_ms(tick.timestamp), spans[run.partition.partition]
            is_taken_in = positions is None or positions.standing(run.partition, tick.offset) is Standing.TAKEN_IN
            certain_ms = max(span.certain_ms, hour_ms) if is_taken_in else span.certain_ms
            spans[run.partition.partition] = Span(certain_ms, max(span.latest_ms, hour_ms))
    return PartitionTimes(len(ranges), spans)


async def _turned_away(connection: Mapping[str, Any], topology: Topology) -> dict[Coordinates, RejectionReason]:
    found = {}
    async for records in read_log(connection, [topology.dead_letter]):
        for record in records:
            source = letter_source(record.headers)
            if source is not None and source.reason in _BY_THE_EPISODE:
                place = Coordinates(source.topic, source.partition, source.offset)
                found[place] = RejectionReason(source.reason)
    return found


async def _lately(
    connection: Mapping[str, Any], inputs: _Ranges, since_ms: int, decoders: Mapping[str, Decode]
) -> Lately:
    found = await offsets_at(connection, inputs, since_ms)
    offsets = {tp: found.get(tp, wanted.end) for tp, wanted in inputs.items()}
    episodes: set[bytes] = set()
    async for run in read_ranges(connection, {tp: OffsetRange(offsets[tp], inputs[tp].end) for tp in inputs}):
        for record in run.records:
            if record.topic not in decoders:
                continue
            try:
                decoded = decoders[record.topic](record.value, record.headers)
            except RejectedError:
                continue
            left = left_behind(decoded.fact, decoded.episode_id)
            episodes.update(id_.encode() for id_ in (decoded.episode_id, *(left[:1] if left is not None else ())))
    return Lately(offsets, frozenset(episodes))
