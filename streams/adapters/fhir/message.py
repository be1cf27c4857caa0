"""A FHIR message: one resource, or a Bundle of them, and what refers to what.

A reference that leads nowhere is nobody.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar, cast

import msgspec

from streams.adapters.adaptation import FaultError, FaultReason
from streams.adapters.fhir import datatypes as fhir
from streams.adapters.fhir.datatypes import Identifier, Reference, Resource

ResourceT = TypeVar("ResourceT", bound=Resource)
PlacedT_co = TypeVar("PlacedT_co", bound=Resource, covariant=True)

_READ: tuple[type[Resource], ...] = (
    *(fhir.Observation, fhir.QuestionnaireResponse, fhir.Procedure, fhir.Encounter, fhir.EpisodeOfCare, fhir.Coverage),
    *(fhir.Claim, fhir.Condition, fhir.Location, fhir.Organization, fhir.Patient, fhir.Practitioner),
    fhir.RelatedPerson,
)
_DECODERS: Mapping[str, msgspec.json.Decoder[Resource]] = {kind.__name__: msgspec.json.Decoder(kind) for kind in _READ}
_BROKEN = (msgspec.DecodeError, RecursionError, UnicodeDecodeError, ValueError)
_RESOURCE_TYPE = re.compile(r"(?:^|/)([A-Z][A-Za-z]+)(?=[/?])")
_HISTORY = "/_history/"


class _Head(msgspec.Struct, frozen=True, gc=False, rename="camel"):
    resource_type: str = ""
    id: str | None = None


class _Entry(msgspec.Struct, frozen=True, gc=False, rename="camel"):
    full_url: str | None = None
    resource: msgspec.Raw = msgspec.Raw()


class _Bundle(msgspec.Struct, frozen=True, gc=False):
    entry: tuple[_Entry, ...] = ()


_decode_head = msgspec.json.Decoder(_Head).decode
_decode_bundle = msgspec.json.Decoder(_Bundle).decode


@dataclass(frozen=True, slots=True)
class Placed(Generic[PlacedT_co]):
    """A resource of a message, and where it stands in it."""

    resource: PlacedT_co
    where: str
    id: str | None
    contained: Mapping[str, "Placed[Resource]"]
    """What its references within it (``#id``) mean."""


class Message:
    """The resources of one record.

    Args:
        value: One resource or a Bundle, as JSON.

    Raises:
        FaultError: It is neither.
    """

    def __init__(self, value: bytes) -> None:
        self.faults: list[FaultError] = []
        self.others = 0
        """Resources of types that are not read."""
        self._placed: list[Placed[Resource]] = []
        self._by_url: dict[str, Placed[Resource]] = {}
        head = _decoded_head(value, "the value")
        if head.resource_type == "Bundle":
            self._take_bundle(value)
        else:
            self._take(value, head, head.resource_type, None)

    def of_type(self, kind: type[ResourceT]) -> Iterator[Placed[ResourceT]]:
        """Those of *kind*, in the order of the message."""
        return (of_kind for placed in self._placed if (of_kind := _of_kind(placed, kind)) is not None)

    def referenced(
        self, reference: Reference | None, by: Placed[Resource], kind: type[ResourceT]
    ) -> Placed[ResourceT] | None:
        """What a Reference in *by* means, where it is in the message and of that *kind*."""
        return _of_kind(self._found(reference, by), kind)

    def referenced_type(self, reference: Reference, by: Placed[Resource]) -> str:
        """The type of resource that a Reference means; empty where nothing tells."""
        found = self._found(reference, by)
        if found is not None:
            return type(found.resource).__name__
        if reference.type is not None:
            return reference.type
        named = _RESOURCE_TYPE.search(reference.reference or "")
        return named[1] if named else ""

    def identity(self, reference: Reference | None, by: Placed[Resource], system: str | None) -> str | None:
        """What is meant, by its identifier of *system*; by the id that the Reference ends in where that is None."""
        if reference is None:
            return None
        found = self._found(reference, by)
        own = [reference.identifier] if reference.identifier is not None else []
        if system is None:
            told = found.id if found is not None else _last_part((reference.reference or "").lstrip("#"))
            return told or next((identifier.value for identifier in own), None)
        identifiers = (*own, *_conditional(reference), *(found.resource.identifiers if found is not None else ()))
        return next((i.value for i in identifiers if i.system == system and i.value), None)

    def _found(self, reference: Reference | None, by: Placed[Resource]) -> Placed[Resource] | None:
        if reference is None or not reference.reference:
            return None
        if reference.reference.startswith("#"):
            return by.contained.get(reference.reference[1:])
        return self._by_url.get(reference.reference.partition(_HISTORY)[0])

    def _take_bundle(self, value: bytes) -> None:
        where = "the Bundle"
        try:
            entries = _decode_bundle(value).entry
        except _BROKEN as error:
            raise _invalid(where, error) from None
        for number, entry in enumerate(entries):
            where = f"entry[{number}]"
            try:
                if bytes(entry.resource):
                    head = _decoded_head(bytes(entry.resource), where)
                    self._take(entry.resource, head, f"{where} ({head.resource_type})", entry.full_url)
            except FaultError as fault:
                self.faults.append(fault)

    def _take(self, value: bytes | msgspec.Raw, head: _Head, where: str, url: str | None) -> None:
        decoder = _DECODERS.get(head.resource_type)
        if decoder is None:
            self.others += 1
            return
        try:
            resource = decoder.decode(value)
        except _BROKEN as error:
            raise _invalid(where, error) from None
        # In a transaction a resource may have no id yet; then its URL names it.
        own_id = resource.id or _last_part(url or "") or None
        placed = Placed(resource, where, own_id, _contained(resource, where))
        self._placed.append(placed)
        for name in (url, f"{head.resource_type}/{placed.id}" if placed.id else None):
            if name is not None:
                self._by_url[name] = placed


def _decoded_head(value: bytes, where: str) -> _Head:
    try:
        head = _decode_head(value)
    except msgspec.ValidationError:
        head = _Head()
    except _BROKEN:
        raise FaultError(FaultReason.NOT_JSON, f"{where} is no JSON.") from None
    if not head.resource_type:
        detail = f"{where} has no resourceType: send a FHIR R4 resource, or a Bundle of them."
        raise FaultError(FaultReason.NOT_FHIR, detail)
    return head


def _contained(resource: Resource, where: str) -> Mapping[str, Placed[Resource]]:
    found: dict[str, Placed[Resource]] = {}
    for value in resource.contained:
        place = f"{where}.contained"
        head = _decoded_head(bytes(value), place)
        decoder = _DECODERS.get(head.resource_type)
        if decoder is not None and head.id:
            try:
                found[head.id] = Placed(decoder.decode(value), place, head.id, found)
            except _BROKEN as error:
                raise _invalid(place, error) from None
    return found


def _of_kind(placed: Placed[Resource] | None, kind: type[ResourceT]) -> Placed[ResourceT] | None:
    if placed is None or not isinstance(placed.resource, kind):
        return None
    return cast("Placed[ResourceT]", placed)


def _invalid(where: str, error: Exception) -> FaultError:
    # msgspec's own words name types and a path; what was there, they do not show.
    said = str(error) if isinstance(error, msgspec.ValidationError) else "it cannot be read"
    return FaultError(FaultReason.INVALID, f"{where}: {said}.")


def _conditional(reference: Reference) -> list[Identifier]:
    """Of a conditional reference (``Practitioner?identifier=SYSTEM|VALUE``, hl7.org/fhir/R4/http.html)."""
    system, bar, value = (reference.reference or "").partition("?identifier=")[2].partition("|")
    return [Identifier(system, value)] if bar else []


def _last_part(reference: str) -> str:
    """Of ``urn:uuid:7``, ``Location/7`` and ``Location?identifier=s|7``, 7."""
    reference = reference.partition(_HISTORY)[0]
    for separator in ("|", "/", ":"):
        if separator in reference:
            return reference.rpartition(separator)[2]
    return reference
