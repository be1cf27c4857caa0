"""The elements of FHIR R4 that are read, and their types; all others are passed over unread (hl7.org/fhir/R4).

msgspec checks what it reads: an element of another type is an error that names its path and not its value.
"""

from decimal import Decimal

import msgspec

CPT = "http://www.ama-assn.org/go/cpt"
HCPCS = "http://www.cms.gov/Medicare/Coding/HCPCSReleaseCodeSets"
ICD_10_CM = "http://hl7.org/fhir/sid/icd-10-cm"
LOINC = "http://loinc.org"
NPI = "http://hl7.org/fhir/sid/us-npi"
PARTICIPATION_TYPE = "http://terminology.hl7.org/CodeSystem/v3-ParticipationType"
PLACE_OF_SERVICE = "https://www.cms.gov/Medicare/Coding/place-of-service-codes/Place_of_Service_Code_Set"
SNOMED_CT = "http://snomed.info/sct"

EPISODE_OF_CARE = "http://hl7.org/fhir/StructureDefinition/workflow-episodeOfCare"
"""The extension by which a resource itself says of which episode it is."""
ITEM_WEIGHTS = frozenset(
    {
        "http://hl7.org/fhir/StructureDefinition/itemWeight",
        "http://hl7.org/fhir/StructureDefinition/ordinalValue",
    }
)
"""The extensions by which the coding of an answer says what it counts for."""


class _Element(msgspec.Struct, frozen=True, gc=False, rename="camel"):
    pass


class Identifier(_Element, frozen=True):
    """A name that some system gave."""

    system: str | None = None
    value: str | None = None


class Reference(_Element, frozen=True):
    """A resource that is meant: where it is, or what it is called."""

    reference: str | None = None
    type: str | None = None
    identifier: Identifier | None = None
    display: str | None = None


class Extension(_Element, frozen=True):
    """What FHIR has no element for."""

    url: str = ""
    value_reference: Reference | None = None
    value_decimal: Decimal | None = None


class Coding(_Element, frozen=True):
    """A code of a system."""

    system: str | None = None
    code: str | None = None
    extension: tuple[Extension, ...] = ()


class CodeableConcept(_Element, frozen=True):
    """The same thing in several systems."""

    coding: tuple[Coding, ...] = ()

    def codes(self, system: str) -> list[str]:
        """Its codes in *system*."""
        return [coding.code for coding in self.coding if coding.system == system and coding.code]


class Quantity(_Element, frozen=True):
    """A number with a unit, which is not looked at: a score has none."""

    value: Decimal | None = None


class Period(_Element, frozen=True):
    """From when to when."""

    start: str | None = None
    end: str | None = None


class Meta(_Element, frozen=True):
    """What a server knows of a resource."""

    version_id: str | None = None
    last_updated: str | None = None


class Resource(_Element, frozen=True):
    """What is read of every resource."""

    id: str | None = None
    meta: Meta = Meta()
    extension: tuple[Extension, ...] = ()
    contained: tuple[msgspec.Raw, ...] = ()
    identifier: tuple[Identifier, ...] | Identifier = ()
    """One, of a QuestionnaireResponse."""

    @property
    def identifiers(self) -> tuple[Identifier, ...]:
        """All of them."""
        return (self.identifier,) if isinstance(self.identifier, Identifier) else self.identifier


class Observation(Resource, frozen=True):
    """A score."""

    status: str = ""
    code: CodeableConcept = CodeableConcept()
    subject: Reference | None = None
    encounter: Reference | None = None
    effective_date_time: str | None = None
    effective_instant: str | None = None
    effective_period: Period = Period()
    performer: tuple[Reference, ...] = ()
    value_quantity: Quantity = Quantity()
    value_integer: int | None = None


class Answer(_Element, frozen=True):
    """What was answered to an item."""

    value_decimal: Decimal | None = None
    value_integer: int | None = None
    value_quantity: Quantity = Quantity()
    value_coding: Coding | None = None
    item: tuple["Item", ...] = ()


class Item(_Element, frozen=True):
    """A question, or a group of them."""

    link_id: str = ""
    answer: tuple[Answer, ...] = ()
    item: tuple["Item", ...] = ()


class QuestionnaireResponse(Resource, frozen=True):
    """A form, filled in."""

    questionnaire: str = ""
    status: str = ""
    subject: Reference | None = None
    encounter: Reference | None = None
    authored: str | None = None
    source: Reference | None = None
    item: tuple[Item, ...] = ()


class Performer(_Element, frozen=True):
    """Who did it."""

    actor: Reference | None = None


class Procedure(Resource, frozen=True):
    """A treatment."""

    status: str = ""
    code: CodeableConcept = CodeableConcept()
    subject: Reference | None = None
    encounter: Reference | None = None
    performed_date_time: str | None = None
    performed_period: Period = Period()
    performer: tuple[Performer, ...] = ()
    location: Reference | None = None
    reason_code: tuple[CodeableConcept, ...] = ()
    reason_reference: tuple[Reference, ...] = ()


class Participant(_Element, frozen=True):
    """Who took part in an encounter."""

    type: tuple[CodeableConcept, ...] = ()
    individual: Reference | None = None


class EncounterLocation(_Element, frozen=True):
    """Where an encounter was."""

    location: Reference | None = None


class Encounter(Resource, frozen=True):
    """A visit."""

    episode_of_care: tuple[Reference, ...] = ()
    participant: tuple[Participant, ...] = ()
    location: tuple[EncounterLocation, ...] = ()


class Coverage(Resource, frozen=True):
    """Who pays for a patient, and when."""

    status: str = ""
    beneficiary: Reference | None = None
    period: Period = Period()
    payor: tuple[Reference, ...] = ()
    order: int | None = None


class Insurance(_Element, frozen=True):
    """A coverage that a claim names."""

    focal: bool = False
    coverage: Reference | None = None


class ClaimItem(_Element, frozen=True):
    """A line of a claim."""

    encounter: tuple[Reference, ...] = ()
    location_codeable_concept: CodeableConcept = CodeableConcept()


class Claim(Resource, frozen=True):
    """Who is asked to pay for an encounter, and at what place it was."""

    insurance: tuple[Insurance, ...] = ()
    item: tuple[ClaimItem, ...] = ()


class Condition(Resource, frozen=True):
    """A diagnosis."""

    code: CodeableConcept = CodeableConcept()


class Location(Resource, frozen=True):
    """A place."""

    type: tuple[CodeableConcept, ...] = ()


class Organization(Resource, frozen=True):
    """A payer, by its name."""

    name: str | None = None


class EpisodeOfCare(Resource, frozen=True):
    """An episode, by its identifiers."""


class Patient(Resource, frozen=True):
    """A patient, by the identifiers."""


class Practitioner(Resource, frozen=True):
    """Who treats, by the identifiers."""


class RelatedPerson(Resource, frozen=True):
    """Who answers for a patient."""
