"""What the committed records say, held against the input alone.

The positions in the changelog say how far each partition was read. Up to there every input record must have had
its one effect, and none beyond: a fact in its episode, a dead letter, or a record on its way home.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence

import orjson

from streams.domain.episode import Arrival, Episode
from streams.intake.rejection import RejectedError
from streams.processing.changelog import (
    POSITIONS_KEY,
    decode_positions,
    episode_id_of,
)
from streams.processing.dead_letter import OFFSET, PARTITION, TOPIC
from streams.processing.partitioning import home_partition
from streams.processing.rekeying import arrived_origin
from streams.processing.stored_episode import decode_episode
from streams.processing.task_coder import Coder
from streams.processing.topology import InputKind
from streams.recount.billing_view import BillingView
from streams.recount.standing import Coordinates
from streams.worker.step import TopicPartition
from tests.expectation import Expectation
from tests.oracle import recount
from tests.simulation.broker import Broker
from tests.simulation.invariants import Invariant, require
from tests.simulation.partition_log import Entry
from tests.tasks_in_memory import TOPOLOGY, Record

Decided = Mapping[str, Sequence[Entry]]


class Effects:
    """Compares what is visible with what the input amounts to."""

    def __init__(self, broker: Broker, coder: Coder) -> None:
        self._broker = broker
        self._coder = coder
        self._decoded: dict[Coordinates, tuple[str, Arrival] | None] = {}

    def check(self, decided: Decided) -> None:
        """Hold I1, I2, I3 and I5 against a moment.

        Raises:
            BrokenInvariantError: One does not hold.
        """
        positions, episodes = self._changelog(decided)
        self._check_prefix(decided, positions, episodes)
        self._check_offsets(positions)
        self._check_billing(decided, episodes)

    def check_end(self, decided: Decided, in_memory: Mapping[int, Mapping[bytes, bytes]]) -> None:
        """Hold I1, I2 and I7 against the end.

        Raises:
            BrokenInvariantError: One does not hold.
        """
        positions, episodes = self._changelog(decided)
        for tp in self._sources():
            is_read = all(record.offset < positions.get(tp, 0) for record in self._broker.logs[tp].read_committed(0))
            require(
                is_read, Invariant.CONSERVATION, f"a record of {tp.topic}-{tp.partition} was fetched, and had no effect"
            )
        expectation, view = Expectation(self._coder.decoder, self._coder.policy), _billed(decided)
        for topic, kind in TOPOLOGY.kinds.items():
            for partition in range(self._broker.task_count):
                expectation.take(self._broker.logs[TopicPartition(topic, partition)].read_committed(0), kind)
        require(
            view.codes() == orjson.loads(orjson.dumps(expectation.codes())),
            Invariant.EXACTLY_ONCE,
            "billing does not hold what the input amounts to",
        )
        for episode_id, episode in expectation.episodes.items():
            answer = recount(episode.facts, self._coder.policy)
            code = view.active[episode_id]["code"] if episode_id in view.active else None
            require(
                code == (answer.code if answer is not None else None),
                Invariant.EXACTLY_ONCE,
                f"{episode_id} is coded {code}, and the oracle says {answer}",
            )
        for partition, held in in_memory.items():
            home = {key: value for (at, key), value in episodes.items() if at == partition}
            require(
                held == home,
                Invariant.STATE,
                f"the task of partition {partition} holds other episodes than its changelog",
            )

    def _changelog(self, decided: Decided) -> tuple[dict[TopicPartition, int], dict[tuple[int, bytes], bytes]]:
        """Positions by source partition and episodes by partition and key: the last value of each counts."""
        positions: dict[TopicPartition, int] = {}
        episodes: dict[tuple[int, bytes], bytes] = {}
        for record in _records(decided, TOPOLOGY.episodes_changelog):
            key, value = record.key or b"", record.value or b""
            if key == POSITIONS_KEY:
                for topic, offset in decode_positions(value).next_offsets.items():
                    tp = TopicPartition(topic, record.partition)
                    require(
                        offset >= positions.get(tp, 0),
                        Invariant.ORDER,
                        f"the position in {tp.topic}-{tp.partition} goes back to {offset}",
                    )
                    positions[tp] = offset
                continue
            before = episodes.get((record.partition, key))
            if before is not None:
                _check_grows(episode_id_of(key), before, value)
            episodes[record.partition, key] = value
        return positions, episodes

    def _check_prefix(
        self,
        decided: Decided,
        positions: Mapping[TopicPartition, int],
        episodes: Mapping[tuple[int, bytes], bytes],
    ) -> None:
        letters: Counter[Coordinates] = Counter()
        forwarded: Counter[Coordinates] = Counter()
        expected: dict[tuple[int, str], list[Arrival]] = defaultdict(list)
        for tp, position in positions.items():
            for record in self._read(tp, position, decided):
                decoded = self._decode(record)
                if decoded is None:
                    letters[_coordinates(record)] += 1
                elif home_partition(decoded[0], self._broker.task_count) != tp.partition:
                    forwarded[_coordinates(record)] += 1
                else:
                    expected[tp.partition, decoded[0]].append(decoded[1])
        require(
            letters == Counter(map(_origin_of_letter, _records(decided, TOPOLOGY.dead_letter))),
            Invariant.ATOMIC_PREFIX,
            "the dead letters are not those of what was read",
        )
        require(
            forwarded == Counter(map(_origin_of_rekeyed, _records(decided, TOPOLOGY.episodes_rekey))),
            Invariant.ATOMIC_PREFIX,
            "what was sent home is not what was read away from home",
        )
        held = {(partition, episode_id_of(key)): decode_episode(value) for (partition, key), value in episodes.items()}
        folded = {place: Episode().with_arrivals(arrived) for place, arrived in expected.items()}
        require(
            folded == {place: coded.episode for place, coded in held.items()},
            Invariant.ATOMIC_PREFIX,
            "the episodes are not those of what was read",
        )

    def _check_offsets(self, positions: Mapping[TopicPartition, int]) -> None:
        # While markers are on their way the two may differ, for a reader of either waits for them.
        is_same = bool(self._broker.missing_markers()) or self._broker.group.committed == positions
        require(is_same, Invariant.ATOMIC_PREFIX, "the group's offsets are not the positions in the changelog")

    def _check_billing(self, decided: Decided, episodes: Mapping[tuple[int, bytes], bytes]) -> None:
        view = _billed(decided)
        require(not view.faults, Invariant.EXACTLY_ONCE, "; ".join(view.faults))
        told: dict[str, list[str]] = defaultdict(list)
        for record in _records(decided, TOPOLOGY.coding_events):
            event = orjson.loads(record.value or b"")
            told[event["episode_id"]].append(event["event_id"])
        for (_, key), value in episodes.items():
            episode_id = episode_id_of(key)
            entries = [entry.event_id for entry in decode_episode(value).ledger.entries]
            require(
                entries == told.pop(episode_id, []),
                Invariant.STATE,
                f"the ledger of {episode_id} is not what billing was told",
            )
        require(not told, Invariant.STATE, f"billing was told of {sorted(told)}, and no ledger knows of it")

    def _read(self, tp: TopicPartition, position: int, decided: Decided) -> Iterator[Record]:
        if tp.topic == TOPOLOGY.episodes_rekey:
            records: Sequence[Record] = [r for r in _records(decided, tp.topic) if r.partition == tp.partition]
        else:
            records = self._broker.logs[tp].read_committed(0)
        return (record for record in records if record.offset < position)

    def _decode(self, record: Record) -> tuple[str, Arrival] | None:
        """The episode and the fact in *record*; None where it cannot be read."""
        place = _coordinates(record)
        if place not in self._decoded:
            kind, headers, timestamp = TOPOLOGY.kinds.get(record.topic), record.headers, record.timestamp
            if kind is None:
                origin = arrived_origin(record)
                kind, headers, timestamp = origin.kind, origin.headers, origin.timestamp_ms
            decoder = self._coder.decoder
            decode = decoder.decode_survey if kind is InputKind.SURVEY else decoder.decode_treatment
            try:
                decoded = decode(record.value, headers)
            except RejectedError:
                self._decoded[place] = None
            else:
                self._decoded[place] = (decoded.episode_id, Arrival(decoded.fact, timestamp))
        return self._decoded[place]

    def _sources(self) -> Iterator[TopicPartition]:
        return (TopicPartition(topic, p) for topic in TOPOLOGY.sources for p in range(self._broker.task_count))


def _check_grows(episode_id: str, before: bytes, after: bytes) -> None:
    old, new = decode_episode(before), decode_episode(after)
    require(
        new.ledger.entries[: len(old.ledger.entries)] == old.ledger.entries,
        Invariant.ORDER,
        f"the ledger of {episode_id} does not go on from the last one",
    )
    require(
        len(new.ledger.entries) <= len(old.ledger.entries) + 1,
        Invariant.ORDER,
        f"the ledger of {episode_id} skips a revision",
    )


def _billed(decided: Decided) -> BillingView:
    view = BillingView()
    for record in _records(decided, TOPOLOGY.coding_events):
        view.take(record.value)
    return view


def _records(decided: Decided, topic: str) -> Iterator[Record]:
    return (entry.record for entry in decided[topic] if entry.record is not None)


def _coordinates(record: Record) -> Coordinates:
    return Coordinates(record.topic, record.partition, record.offset)


def _origin_of_letter(letter: Record) -> Coordinates:
    headers = dict(letter.headers)
    return Coordinates(headers[TOPIC].decode(), int(headers[PARTITION]), int(headers[OFFSET]))


def _origin_of_rekeyed(record: Record) -> Coordinates:
    origin = arrived_origin(record)
    return Coordinates(origin.topic, origin.partition, origin.offset)
