"""A spill gives back what it was given, in the order that was promised, and keeps it to itself."""

from collections import defaultdict
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec
import pytest
from cryptography.exceptions import InvalidTag
from hypothesis import given, settings
from hypothesis import strategies as st

from streams.replay.spill import SpillPlace, SpillWriter, read_bucket

KEYS = st.sampled_from((b"", b"E1", b"E2", b"E3", b"E4"))


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, 2), KEYS, st.integers(0, 40_000))), st.integers(1, 5))
def test_what_is_spilled_comes_back(written: list[tuple[int, bytes, int]], bucket_count: int) -> None:
    """Every entry once, all of a key in one bucket, those of one writer in their order."""
    with TemporaryDirectory() as folder:
        place = SpillPlace.in_folder(Path(folder), bucket_count)
        writers = [SpillWriter(place, str(number)) for number in range(3)]
        for order, (number, key, padding) in enumerate(written):
            writers[number].add(key, msgspec.msgpack.encode((number, key, order, b" " * padding)))
        for writer in writers:
            writer.close()
        buckets = [[e for c in read_bucket(place, b) for e in msgspec.msgpack.decode(c)] for b in range(bucket_count)]

    entries = [entry for bucket in buckets for entry in bucket]
    assert sorted(order for _, _, order, _ in entries) == list(range(len(written)))
    at_home: dict[bytes, set[int]] = defaultdict(set)
    for number, bucket in enumerate(buckets):
        orders: dict[int, list[int]] = defaultdict(list)
        for written_by, key, order, _ in bucket:
            at_home[key].add(number)
            orders[written_by].append(order)
        assert all(told == sorted(told) for told in orders.values())
    assert all(len(homes) == 1 for homes in at_home.values())


def test_what_is_left_behind_says_nothing(tmp_path: Path) -> None:
    """A kill leaves files behind: without the key, which was only in memory, they cannot be read."""
    place = SpillPlace.in_folder(tmp_path, 1)
    writer = SpillWriter(place, "0")
    writer.add(b"E1", msgspec.msgpack.encode("patient-1"))
    writer.close()

    assert b"patient-1" not in b"".join(path.read_bytes() for path in tmp_path.iterdir())
    with pytest.raises(InvalidTag):
        list(read_bucket(SpillPlace.in_folder(tmp_path, 1), 0))
