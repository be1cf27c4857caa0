"""Where records wait until all of an episode's are read: buckets on disk, by a hash of the episode.

Theory of operation. An episode's records lie anywhere in the inputs, so nothing can be said of it before everything is
read; and a year of a large system does not fit into memory. Entries are therefore dealt out to buckets by the hash of
their key (the first half of a Grace hash join), each small enough to be examined in memory for itself.

Plain files rather than SQLite: appending 500,000 entries of 170 bytes took 0.5 µs of processor time each, sealed, and
sequential reading brings them back; SQLite took 1.5 µs to insert and 1.9 µs to index and read, without a seal.

Patient data stays in the topics: a chunk is sealed with AES-GCM under a key that is only in memory, so that what a kill
leaves behind says nothing.
"""

import os
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple
from zlib import crc32

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_CHUNK_BYTES = 64 * 1024
_NONCE_BYTES = 12
_HEAD = struct.Struct(">I")
_ARRAY_32 = b"\xdd"  # MessagePack: an array, its length in the four bytes that follow


class SpillPlace(NamedTuple):
    """Where entries wait, in how many buckets, and under which key; can be passed to another process."""

    folder: Path
    bucket_count: int
    key: bytes

    @classmethod
    def in_folder(cls, folder: Path, bucket_count: int) -> "SpillPlace":
        """A place in *folder*, which is ours alone, with a key of its own."""
        return cls(folder, bucket_count, AESGCM.generate_key(256))


class SpillWriter:
    """Deals entries out to the buckets of a place.

    Args:
        place: The place.
        name: A name that no other writer of the place has; the entries of one writer stay in their order.
    """

    def __init__(self, place: SpillPlace, name: str) -> None:
        self._place = place
        self._name = name
        self._cipher = AESGCM(place.key)
        self._chunks = [bytearray() for _ in range(place.bucket_count)]
        self._counts = [0] * place.bucket_count

    def add(self, key: bytes, entry: bytes) -> None:
        """Put *entry*, one MessagePack value, into the bucket of *key*."""
        bucket = crc32(key) % self._place.bucket_count
        chunk = self._chunks[bucket]
        chunk += entry
        self._counts[bucket] += 1
        if len(chunk) >= _CHUNK_BYTES:
            self._write(bucket)

    def close(self) -> None:
        """Write what is left."""
        for bucket, chunk in enumerate(self._chunks):
            if chunk:
                self._write(bucket)

    def _write(self, bucket: int) -> None:
        array = _ARRAY_32 + _HEAD.pack(self._counts[bucket]) + self._chunks[bucket]
        nonce = os.urandom(_NONCE_BYTES)
        sealed = self._cipher.encrypt(nonce, array, None)
        with (self._place.folder / f"{bucket}-{self._name}").open("ab") as file:
            file.write(_HEAD.pack(len(sealed)) + nonce + sealed)
        self._chunks[bucket].clear()
        self._counts[bucket] = 0


def read_bucket(place: SpillPlace, bucket: int) -> Iterator[bytes]:
    """The chunks of *bucket*, each a MessagePack array of entries; those of one writer in their order."""
    cipher = AESGCM(place.key)
    for path in sorted(place.folder.glob(f"{bucket}-*")):
        with path.open("rb") as file:
            while head := file.read(_HEAD.size):
                nonce = file.read(_NONCE_BYTES)
                yield cipher.decrypt(nonce, file.read(*_HEAD.unpack(head)), None)
        path.unlink()
