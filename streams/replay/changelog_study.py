"""What the workers know of every episode: the last value of each in the changelog, as a study.

A tenth of the records of the inputs, folded already, and with what billing was told. It is the workers' own state: what
must not rest on that reads the inputs (`streams.recount`).
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Generic, TypeVar

import msgspec
from aiokafka import TopicPartition

from streams.domain.coder import CodedEpisode
from streams.kafka.log_reader import OffsetRange, Run, log_ranges
from streams.kafka.sealing import Sealing
from streams.processing.changelog import episode_id_of, is_episode_key
from streams.processing.stored_episode import decode_episode
from streams.processing.topology import Topology

ResultT = TypeVar("ResultT")
KnownEpisodes = Iterable[tuple[str, CodedEpisode]]

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(list[tuple[bytes, bytes | None]]).decode


class ChangelogStudy(Generic[ResultT]):
    """A `Study` of the changelog.

    Args:
        sealing: Opens what was sealed.
        examine: What is to be said of some episodes, each by its id.
    """

    def __init__(self, sealing: Sealing, examine: Callable[[KnownEpisodes], ResultT]) -> None:
        self._opened = sealing.opened_state
        self._examine = examine

    def sort(self, run: Run) -> Iterator[tuple[bytes, bytes]]:
        """Every value of an episode; of those in one run, the last.

        Raises:
            EncryptionError: One is sealed, and cannot be opened.
        """
        last = {record.key: record.value for record in run.records if record.key and is_episode_key(record.key)}
        for key, value in last.items():
            opened = self._opened(run.partition.partition, key, value) if value is not None else None
            yield key, _encode((key, opened))

    def examine(self, chunks: Iterable[bytes]) -> ResultT:
        """What is to be said of some episodes.

        Raises:
            EpisodeFormatError: One was written by another version.
        """
        last = {key: value for chunk in chunks for key, value in _decode(chunk)}
        known = ((episode_id_of(key), decode_episode(value)) for key, value in last.items() if value is not None)
        return self._examine(known)


async def changelog_ranges(connection: Mapping[str, Any], topology: Topology) -> dict[TopicPartition, OffsetRange]:
    """The changelog, as of now."""
    return await log_ranges(connection, [topology.episodes_changelog])
