"""What a FHIR R4 bundle says, read the same way whoever wrote it.

Only the elements that the mapping needs, and of each only what is certain: a date without a time is no
instant, and a reference that leads nowhere is nobody. Element names: hl7.org/fhir/R4.
"""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, TypeAlias

Resource: TypeAlias = Mapping[str, Any]
"""A FHIR resource or data type, as JSON."""

LOINC = "http://loinc.org"
SNOMED_CT = "http://snomed.info/sct"
ICD_10_CM = "http://hl7.org/fhir/sid/icd-10-cm"
US_NPI = "http://hl7.org/fhir/sid/us-npi"

_RESOURCE_TYPE = re.compile(r"[A-Z][A-Za-z]+(?=[/?])")


class Bundle:
    """The resources of one bundle, by type and by reference."""

    def __init__(self, bundle: Resource) -> None:
        self._by_url: dict[str, Resource] = {}
        self._by_type: defaultdict[str, list[Resource]] = defaultdict(list)
        for entry in bundle.get("entry", ()):
            # In a transaction a resource may have no id yet; then its URL names it.
            url = entry["fullUrl"]
            resource = {"id": _last_part(url), **entry["resource"]}
            self._by_url[url] = resource
            self._by_type[resource["resourceType"]].append(resource)

    def of_type(self, resource_type: str) -> list[Resource]:
        """The resources of *resource_type*, in the bundle's order."""
        return self._by_type[resource_type]

    def referenced(self, reference: Resource | None) -> Resource | None:
        """The resource that a Reference means, where it is in the bundle."""
        return self._by_url.get((reference or {}).get("reference", ""))

    def referenced_type(self, reference: Resource) -> str:
        """The type of resource that a Reference means; empty where nothing tells."""
        resource = self.referenced(reference)
        if resource is not None:
            return str(resource["resourceType"])
        named = _RESOURCE_TYPE.match(reference.get("reference", ""))
        return named[0] if named else ""


def referenced_id(reference: Resource | None) -> str | None:
    """The id that a Reference ends in: of ``urn:uuid:7``, ``Location/7`` and ``Location?identifier=s|7``, 7."""
    return _last_part((reference or {}).get("reference", "")) or None


def referenced_identifier(reference: Resource | None, system: str) -> str | None:
    """The value in a conditional reference (``Practitioner?identifier=SYSTEM|VALUE``) of *system*.

    Bundles that leave practitioners to another file refer to them like this (hl7.org/fhir/R4/http.html,
    "Conditional References").
    """
    query = (reference or {}).get("reference", "").partition("?identifier=")[2]
    named, bar, value = query.partition("|")
    return value or None if bar and named == system else None


def _last_part(reference: str) -> str:
    for separator in ("|", "/", ":"):
        if separator in reference:
            return reference.rpartition(separator)[2]
    return reference


def codes(concept: Resource | None, system: str) -> Iterator[str]:
    """The codes of a CodeableConcept in *system*."""
    for coding in (concept or {}).get("coding", ()):
        if coding.get("system") == system and "code" in coding:
            yield coding["code"]


def instant(text: str | None) -> str | None:
    """A ``dateTime`` that has a time and an offset, as it is written; None for any other."""
    if text is None or "T" not in text:
        return None
    return text if datetime.fromisoformat(text).tzinfo is not None else None


def decimal_text(observation: Resource) -> str | None:
    """The number in an Observation's value as a plain decimal, digit by digit as it stands."""
    value = observation.get("valueQuantity", {}).get("value", observation.get("valueInteger"))
    return None if value is None else f"{Decimal(str(value)):f}"


def version_number(resource: Resource) -> int | None:
    """The server's count of versions (``meta.versionId``), where it is a count."""
    version = resource.get("meta", {}).get("versionId", "")
    return int(version) if version.isdecimal() and int(version) >= 1 else None
