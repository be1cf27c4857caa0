"""Where an episode is at home."""

from functools import lru_cache

from aiokafka.partitioner import murmur2


@lru_cache(maxsize=65_536)
def home_partition(episode_id: str, partition_count: int) -> int:
    """The partition of *episode_id* among *partition_count*: Kafka's default partitioner on its UTF-8 bytes.

    A Java producer that keys by episode id therefore writes to the home partition, and nothing is re-keyed.
    """
    hashed: int = murmur2(episode_id.encode())
    return (hashed & 0x7FFF_FFFF) % partition_count
