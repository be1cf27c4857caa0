"""Where, by whom, at whose cost and in which episode something was done: what stands around a resource.

Where those who tell do not agree, nobody has told: choosing would be guessing. For an episode that is a fault.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from functools import cached_property
from typing import Any, TypeAlias

from streams.adapters.adaptation import FaultError, FaultReason
from streams.adapters.fhir.datatypes import (
    EPISODE_OF_CARE,
    NPI,
    PARTICIPATION_TYPE,
    PLACE_OF_SERVICE,
    Claim,
    Coverage,
    Encounter,
    Location,
    Observation,
    Organization,
    Procedure,
    QuestionnaireResponse,
    Reference,
    Resource,
)
from streams.adapters.fhir.message import Message, Placed
from streams.adapters.mapping import Mapping

_PRIMARY_PERFORMER = "PPRF"
_DAY_LENGTH = len("2026-01-31")

Recorded: TypeAlias = Placed[Observation] | Placed[QuestionnaireResponse] | Placed[Procedure]
Visit: TypeAlias = Placed[Encounter] | None

EPISODE = "the extension workflow-episodeOfCare, or episodeOfCare of the Encounter beside it"
"""Where an episode is looked for."""


class Surroundings:
    """Looks around in one message.

    Args:
        message: Its resources.
        mapping: By which identifiers things are called.
    """

    def __init__(self, message: Message, mapping: Mapping) -> None:
        self._message = message
        self._mapping = mapping
        self._names = mapping.identifiers

    def of(self, recorded: Recorded, *, on: str) -> dict[str, Any]:
        """The contract's fields on episode, patient, place, performer and payer, each None where it is not told.

        Args:
            recorded: A survey or a treatment.
            on: When it was, as FHIR writes it: its payer is the one of that day.

        Raises:
            FaultError: Several episodes are told.
        """
        resource = recorded.resource
        visit = self._message.referenced(resource.encounter, recorded, Encounter)
        encounter_id = self._message.identity(resource.encounter, recorded, self._names.encounter)
        facility_id = _agreed(self._facilities(recorded, visit))
        at_visit = visit.id if visit is not None else encounter_id
        claimed = self._claimed_payers.get(at_visit)
        return {
            "episode_id": self._episode_id(recorded, visit),
            "patient_id": self._message.identity(resource.subject, recorded, self._names.patient),
            "encounter_id": encounter_id,
            "facility_id": facility_id,
            "payer_id": _agreed(claimed) if claimed is not None else self._covering_payer(recorded, on),
            "rendering_npi": _agreed(self._performers(recorded, visit)),
            "place_of_service": self._mapping.places_of_service.get(facility_id or "")
            or _agreed(self._places_of_service(recorded, visit))
            or _agreed(self._claimed_places.get(at_visit, ())),
        }

    def _episode_id(self, recorded: Recorded, visit: Visit) -> str | None:
        """Of the resource's own extension; else of its encounter."""
        own = [e.value_reference for e in recorded.resource.extension if e.url == EPISODE_OF_CARE]
        if own:
            told = {self._message.identity(reference, recorded, self._names.episode) for reference in own}
        elif visit is not None:
            references = visit.resource.episode_of_care
            told = {self._message.identity(reference, visit, self._names.episode) for reference in references}
        else:
            told = set()
        told.discard(None)
        if len(told) > 1:
            detail = f"{recorded.where} belongs to {len(told)} episodes: it is not ours to choose one."
            raise FaultError(FaultReason.AMBIGUOUS, f"{detail} Say it by the extension {EPISODE_OF_CARE}.")
        return told.pop() if told else None

    def _locations(self, recorded: Recorded, visit: Visit) -> Iterator[tuple[Reference | None, Placed[Resource]]]:
        """The place of a treatment itself, where it has one; else those of its encounter."""
        resource = recorded.resource
        if isinstance(resource, Procedure) and resource.location is not None:
            yield resource.location, recorded
        elif visit is not None:
            yield from ((place.location, visit) for place in visit.resource.location)

    def _facilities(self, recorded: Recorded, visit: Visit) -> Iterator[str | None]:
        for reference, by in self._locations(recorded, visit):
            yield self._message.identity(reference, by, self._names.facility)

    def _places_of_service(self, recorded: Recorded, visit: Visit) -> Iterator[str]:
        for reference, by in self._locations(recorded, visit):
            location = self._message.referenced(reference, by, Location)
            for kind in location.resource.type if location is not None else ():
                yield from kind.codes(PLACE_OF_SERVICE)

    def _performers(self, recorded: Recorded, visit: Visit) -> list[str | None]:
        """The NPIs of whoever did it, where that is told; else of the encounter's primary performers."""
        resource = recorded.resource
        if isinstance(resource, Procedure):
            own = [self._message.identity(p.actor, recorded, NPI) for p in resource.performer]
            if any(own):
                return own
        if visit is None:
            return []
        return [
            self._message.identity(participant.individual, visit, NPI)
            for participant in visit.resource.participant
            if any(_PRIMARY_PERFORMER in kind.codes(PARTICIPATION_TYPE) for kind in participant.type)
        ]

    # -----------------------------------------------------------------------------------------
    # Payers
    # -----------------------------------------------------------------------------------------
    @cached_property
    def _claimed_payers(self) -> dict[str | None, set[str | None]]:
        """By encounter, who is asked to pay for it: the focal insurances of its claims."""
        payers: defaultdict[str | None, set[str | None]] = defaultdict(set)
        for claim in self._message.of_type(Claim):
            focal = [insurance.coverage for insurance in claim.resource.insurance if insurance.focal]
            named = {self._payer_of_coverage(reference, claim) for reference in focal}
            for encounter_id in self._encounters(claim):
                payers[encounter_id] |= named
        return payers

    @cached_property
    def _claimed_places(self) -> dict[str | None, set[str]]:
        """By encounter, the places of service on its claims."""
        places: defaultdict[str | None, set[str]] = defaultdict(set)
        for claim in self._message.of_type(Claim):
            for item in claim.resource.item:
                for reference in item.encounter:
                    encounter_id = self._message.identity(reference, claim, None)
                    places[encounter_id].update(item.location_codeable_concept.codes(PLACE_OF_SERVICE))
        return places

    def _encounters(self, claim: Placed[Claim]) -> Iterator[str | None]:
        for item in claim.resource.item:
            for reference in item.encounter:
                yield self._message.identity(reference, claim, None)

    def _payer_of_coverage(self, reference: Reference | None, by: Placed[Resource]) -> str | None:
        coverage = self._message.referenced(reference, by, Coverage)
        if coverage is not None:
            return self._payer(coverage)
        return self._known(reference.display if reference is not None else None)

    def _covering_payer(self, recorded: Recorded, on: str) -> str | None:
        """Who pays for the patient on the day *on*: the coverage in force that comes first."""
        patient = self._message.identity(recorded.resource.subject, recorded, None)
        in_force = [
            coverage
            for coverage in self._message.of_type(Coverage)
            if coverage.resource.status == "active"
            and self._message.identity(coverage.resource.beneficiary, coverage, None) == patient
            and _is_within(coverage.resource, on[:_DAY_LENGTH])
        ]
        first = min((coverage.resource.order or 1 for coverage in in_force), default=1)
        return _agreed(self._payer(coverage) for coverage in in_force if (coverage.resource.order or 1) == first)

    def _payer(self, coverage: Placed[Coverage]) -> str | None:
        return _agreed(self._payer_name(reference, coverage) for reference in coverage.resource.payor)

    def _payer_name(self, reference: Reference, by: Placed[Resource]) -> str | None:
        if self._names.payer is not None:
            return self._known(self._message.identity(reference, by, self._names.payer))
        organization = self._message.referenced(reference, by, Organization)
        return self._known(reference.display or (organization.resource.name if organization is not None else None))

    def _known(self, payer: str | None) -> str | None:
        return None if payer in self._mapping.payers.none else payer


def _agreed(values: Iterable[str | None]) -> str | None:
    """The one value that all who give any agree on."""
    given = {value for value in values if value}
    return given.pop() if len(given) == 1 else None


def _is_within(coverage: Coverage, day: str) -> bool:
    period = coverage.period
    return (period.start or "")[:_DAY_LENGTH] <= day and (period.end is None or day <= period.end[:_DAY_LENGTH])
