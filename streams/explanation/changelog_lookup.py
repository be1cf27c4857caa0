"""What the workers know of one episode: its last value in the changelog, read from its one partition.

No worker is asked, so the answer is there while none runs, and asking does not slow one that does.
"""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from streams.domain.coder import CodedEpisode
from streams.kafka.log_reader import read_log
from streams.kafka.sealing import Sealing
from streams.kafka.topic_admin import topic_admin
from streams.processing.changelog import (
    POSITIONS_KEY,
    ChangelogFormatError,
    decode_positions,
    episode_key,
    forgotten_key,
)
from streams.processing.encryption import EncryptionError
from streams.processing.partitioning import home_partition
from streams.processing.stored_episode import decode_episode
from streams.processing.topology import Topology

Progress = Callable[[int], None]


class ChangelogRefusedError(Exception):
    """The changelog is not there, or was not written by a worker of this version; the message says what to do."""


class Found(NamedTuple):
    """What is known of an episode where it is at home."""

    coded: CodedEpisode | None
    """None where nothing is known of it."""
    as_of_ms: int
    """What time it is there, by the ticks; 0 where there were none."""
    is_forgotten: bool
    """Whether it was known, and kept for as long as the policy says."""


class Home(NamedTuple):
    """The partition of the changelog where an episode is, if it is anywhere."""

    topic: str
    partition: int
    partition_count: int


async def find_episode(connection: Mapping[str, Any], topology: Topology, sealing: Sealing, episode_id: str) -> Found:
    """What is known of an episode.

    Args:
        connection: Options of an aiokafka client.
        topology: The application's topics.
        sealing: Opens what was sealed.
        episode_id: The episode.

    Raises:
        BrokerUnreachableError: No broker answers.
        ChangelogRefusedError: There is no changelog, or it cannot be read.
    """
    home = await locate_episode(connection, topology, episode_id)
    return await read_episode(connection, home, sealing, episode_id)


async def locate_episode(connection: Mapping[str, Any], topology: Topology, episode_id: str) -> Home:
    """Where an episode is at home, whether or not it is known.

    Raises:
        BrokerUnreachableError: No broker answers.
        ChangelogRefusedError: There is no changelog.
    """
    topic = topology.episodes_changelog
    async with topic_admin(connection) as admin:
        found = await admin.describe([topic])
    if topic not in found:
        message = (
            f"{topic} does not exist. Check G9603_APP_ID and G9603_TOPIC_PREFIX against the worker's, "
            "or create the topics with `g9603 topics`."
        )
        raise ChangelogRefusedError(message)
    count = found[topic].partition_count
    return Home(topic, home_partition(episode_id, count), count)


async def read_episode(
    connection: Mapping[str, Any],
    home: Home,
    sealing: Sealing,
    episode_id: str,
    *,
    on_progress: Progress = lambda _count: None,
) -> Found:
    """What was last committed of an episode at its home.

    Args:
        connection: Options of an aiokafka client.
        home: Where `locate_episode` says that it is.
        sealing: Opens what was sealed.
        episode_id: The episode.
        on_progress: Called with the number of records read since the last call.

    Raises:
        ChangelogRefusedError: The value was written by another version, or cannot be opened.
    """
    key = episode_key(episode_id)
    left = forgotten_key(key)
    last: dict[bytes, bytes | None] = dict.fromkeys((key, left, POSITIONS_KEY))
    async for records in read_log(connection, [home.topic], partition=home.partition):
        last.update((record.key, record.value) for record in records if record.key in last)
        on_progress(len(records))
    value, positions = last[key], last[POSITIONS_KEY]
    try:
        as_of_ms = decode_positions(positions).as_of_ms if positions is not None else 0
        coded = decode_episode(sealing.opened_state(home.partition, key, value)) if value is not None else None
        return Found(coded, as_of_ms, last[left] is not None)
    except EncryptionError as error:
        raise ChangelogRefusedError(str(error)) from error
    except ChangelogFormatError as error:
        message = (
            f"{home.topic}-{home.partition} holds {episode_id!r} in a form that this version does not know: "
            "use the version of g9603 that the workers run."
        )
        raise ChangelogRefusedError(message) from error
