"""What becomes of one message of another system: events, what is wrong with it, and what is none of ours."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, NamedTuple, Protocol, TypeAlias

import orjson

from streams.intake.decoder import Decoder
from streams.intake.rejection import RejectedError
from streams.processing.topology import InputKind

Fields: TypeAlias = Mapping[str, Any]
"""Fields of an event as JSON values; None where a message does not tell one."""

NOT_FINAL = "not final"
OTHER_CODE = "other code"
OTHER_TYPE = "other type"
"""Why a part of a message is no event, and nothing is wrong with it."""

_VERSION_OF_STATUS = {"completed": None, "amended": 2, "entered-in-error": 3}


class AdaptedEvent(NamedTuple):
    """An event for an input topic; a worker takes it in."""

    kind: InputKind
    episode_id: str
    value: bytes


class FaultReason(StrEnum):
    """What is wrong with a message; where a worker would refuse the event, the worker's own reason stands instead."""

    EMPTY = "empty"
    NOT_JSON = "not_json"
    NOT_FHIR = "not_fhir"
    NOT_HL7 = "not_hl7"
    INVALID = "invalid"
    NOT_TOLD = "not_told"
    AMBIGUOUS = "ambiguous"


class FaultError(Exception):
    """A message, or a part of one, that is ours and cannot become an event.

    Attributes:
        reason: A word to count by.
        detail: A sentence for the sender's engineer; it names elements, and never shows what they held.
    """

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = str(reason)
        self.detail = detail


@dataclass(slots=True)
class Adaptation:
    """What one message came to."""

    events: list[AdaptedEvent] = field(default_factory=list)
    faults: list[FaultError] = field(default_factory=list)
    passed_over: Counter[str] = field(default_factory=Counter)
    """Why parts of the message are no event, and no fault: how often each."""


class Adapter(Protocol):
    """Makes events of one kind of message."""

    def adapt(self, value: bytes | None) -> Adaptation:
        """What the message *value* comes to. Total: what is wrong is in the answer."""


def told_value(value: bytes | None) -> bytes:
    """The *value* of a record.

    Raises:
        FaultError: There is none.
    """
    if not value:
        raise FaultError(FaultReason.EMPTY, "The value: there is none.")
    return value


class Part(NamedTuple):
    """A part of a message that may be an event."""

    kind: InputKind
    where: str
    looked_for: Mapping[str, str]
    """The fields that the contract requires, and where they are looked for."""
    read: Callable[[], Fields | str]
    """The fields of the event; or why it is none. May raise `FaultError`."""


class EventWriter:
    """Makes events of parts, and leaves to the worker's own decoder what an event must be.

    Args:
        decoder: The worker's.
    """

    def __init__(self, decoder: Decoder) -> None:
        self._decoder = decoder

    def take(self, part: Part, adaptation: Adaptation) -> None:
        """Add to *adaptation* what *part* comes to."""
        try:
            fields = part.read()
            if isinstance(fields, str):
                adaptation.passed_over[fields] += 1
            else:
                adaptation.events.append(self._event(part, fields))
        except FaultError as fault:
            adaptation.faults.append(fault)

    def _event(self, part: Part, fields: Fields) -> AdaptedEvent:
        missing = [f"{name} ({place})" for name, place in part.looked_for.items() if fields.get(name) is None]
        if missing:
            raise FaultError(FaultReason.NOT_TOLD, f"{part.where} does not tell {', '.join(missing)}.")
        value = orjson.dumps({name: said for name, said in fields.items() if said is not None})
        decode = self._decoder.decode_survey if part.kind is InputKind.SURVEY else self._decoder.decode_treatment
        try:
            return AdaptedEvent(part.kind, decode(value).episode_id, value)
        except RejectedError as rejected:
            raise FaultError(rejected.reason, f"{part.where}: {rejected.detail}") from None


def transport(source: str, record_id: str | None, version: int | None, status: str) -> dict[str, Any]:
    """Which event of which record this is.

    Another version is another transport event, or it would count as one already seen. Where no version is told, the
    status tells as much: what was amended comes after what was first said, and what was entered in error is the last.
    """
    told = version if version is not None else _VERSION_OF_STATUS[status]
    event_id = record_id if told is None else f"{record_id}:{told}"
    return {"event_id": event_id, "source": source, "version": told, "status": status}
