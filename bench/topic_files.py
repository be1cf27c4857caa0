"""How much a topic takes on the broker's disk."""

from pathlib import Path


def topic_bytes(broker_data: Path, topic: str) -> int:
    """The bytes of *topic*'s records and markers, in all its partitions, as the broker keeps them.

    All that was ever written is there: segments that are still written to are not compacted, and no run fills one.
    """
    folders = [folder for folder in broker_data.glob(f"{topic}-*") if folder.name.removeprefix(f"{topic}-").isdigit()]
    return sum(segment.stat().st_size for folder in folders for segment in folder.glob("*.log"))
