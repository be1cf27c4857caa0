"""How episodes and positions are written to the compacted changelog, and read again.

A key is one letter for the kind of record, then the episode id, or the digest of a merge of patients. The value of an
episode (`stored_episode`) is also how it is held in memory, so that a restore copies bytes.
"""

import msgspec

POSITIONS_KEY = b"P"
_EPISODE = b"E"
_MERGE = b"M"


class ChangelogFormatError(ValueError):
    """The changelog holds what this version did not write; the message says what to do."""


class Positions(msgspec.Struct, frozen=True, array_like=True):
    """The next offset of each source topic in one partition, and how many partitions there were.

    They travel with the state that they produced, in one transaction, so that neither can be ahead.
    """

    partition_count: int
    next_offsets: dict[str, int]


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


def merge_key(digest: bytes) -> bytes:
    """The key of a merge's record; it shows no patient's id."""
    return _MERGE + digest


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
