"""How episodes and positions are written to the compacted changelog, and read again.

A key is one letter for the kind of record, then the episode id; of an episode that was forgotten, a hash of it; of a
merge of patients, a hash of its value. The value of an episode (`stored_episode`) is also how it is held in memory, so
that a restore copies bytes.
"""

from hashlib import blake2b

import msgspec

POSITIONS_KEY = b"P"
_EPISODE = b"E"
_FORGOTTEN = b"F"
_MERGE = b"M"
_NAME_BYTES = 8
_DIGEST_BYTES = 16


class ChangelogFormatError(ValueError):
    """The changelog holds what this version did not write; the message says what to do."""


class Positions(msgspec.Struct, frozen=True, array_like=True):
    """The next offset of each source topic in one partition, and how many partitions there were.

    They travel with the state that they produced, in one transaction, so that neither can be ahead.
    """

    partition_count: int
    next_offsets: dict[str, int]
    as_of_ms: int = 0
    """The time of the partition, which never goes back; 0 where no tick was read."""


_encoder = msgspec.msgpack.Encoder()
_positions_decoder = msgspec.msgpack.Decoder(Positions)


def episode_key(episode_id: str) -> bytes:
    """The key of an episode's record."""
    return _EPISODE + episode_id.encode()


def episode_id_of(key: bytes) -> str:
    """The episode whose record has *key*."""
    return key[1:].decode()


def is_episode_key(key: bytes) -> bool:
    """Whether *key* is an episode's."""
    return key.startswith(_EPISODE)


def forgotten_key(key: bytes) -> bytes:
    """What is left where the episode with *key* is forgotten: the key of an empty record.

    A hash of 64 bits: among a hundred million of them, that of another episode is found once in 200 billion times.
    """
    return _FORGOTTEN + blake2b(key, digest_size=_NAME_BYTES).digest()


def is_forgotten_key(key: bytes) -> bool:
    """Whether *key* is what is left of a forgotten episode."""
    return key.startswith(_FORGOTTEN)


def merge_key(value: bytes) -> bytes:
    """The key of the record of a merge with *value*; it shows no patient's id."""
    return _MERGE + blake2b(value, digest_size=_DIGEST_BYTES).digest()


def is_merge_key(key: bytes) -> bool:
    """Whether *key* is a merge's."""
    return key.startswith(_MERGE)


def holds_patient_data(key: bytes) -> bool:
    """Whether what stands under *key* is about patients."""
    return is_episode_key(key) or is_merge_key(key)


def encode_positions(positions: Positions) -> bytes:
    """The value of a positions record."""
    return _encoder.encode(positions)


def decode_positions(value: bytes) -> Positions:
    """The positions in *value*.

    Raises:
        ChangelogFormatError: They are of another version.
    """
    try:
        return _positions_decoder.decode(value)
    except (msgspec.DecodeError, UnicodeDecodeError):
        message = "The changelog holds positions in a format of another version: start a worker of that version."
        raise ChangelogFormatError(message) from None
