"""What a recount keeps of each record until all of its episode's are read."""

from typing import TypeAlias

import msgspec

from streams.domain.fact import Fact
from streams.intake.rejection import RejectionReason
from streams.recount.standing import Standing


class FactEntry(msgspec.Struct, frozen=True, array_like=True, tag="F"):
    """A record of the input that tells a fact."""

    episode_id: str
    standing: Standing
    fact: Fact


class TurnedAwayEntry(msgspec.Struct, frozen=True, array_like=True, tag="A"):
    """One that its episode turned away: it was full, or forgotten."""

    episode_id: str
    source: str
    reason: RejectionReason


class MergeEntry(msgspec.Struct, frozen=True, array_like=True, tag="M"):
    """One that tells of a merge of patients; it is counted here, and what it says is known before."""

    standing: Standing


class RejectedEntry(msgspec.Struct, frozen=True, array_like=True, tag="R"):
    """One that cannot be taken in."""

    source: str
    standing: Standing
    reason: str
    digest: bytes


class LetterEntry(msgspec.Struct, frozen=True, array_like=True, tag="L"):
    """A dead letter; without a reason where no worker wrote it, and then its source is its own place."""

    source: str
    reason: str
    digest: bytes


class EventEntry(msgspec.Struct, frozen=True, array_like=True, tag="E"):
    """A coding event as it was published."""

    value: bytes | None


Entry: TypeAlias = FactEntry | MergeEntry | TurnedAwayEntry | RejectedEntry | LetterEntry | EventEntry

encode_entry = msgspec.msgpack.Encoder().encode
decode_entries = msgspec.msgpack.Decoder(list[Entry]).decode
