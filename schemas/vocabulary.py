"""The closed sets of words that the messages use, each from the standard that is named beside it."""

from enum import StrEnum


class RecordStatus(StrEnum):
    """Whether a record stands: the words of FHIR's QuestionnaireResponse and Procedure status."""

    COMPLETED = "completed"
    AMENDED = "amended"
    ENTERED_IN_ERROR = "entered-in-error"


class Respondent(StrEnum):
    """Who answered (FHIR ``QuestionnaireResponse.source``: the patient or a related person)."""

    PATIENT = "patient"
    PROXY = "proxy"


class PatientMergeAction(StrEnum):
    """What is said of two patient ids."""

    MERGE = "merge"
    """HL7 v2 ADT^A40."""
    UNMERGE = "unmerge"
    """HL7 v2 ADT^A37: they are two patients after all, and a person must say whose is what."""
    SEPARATE = "separate"
    """A person has: the two go by their own ids again."""


class TreatmentCodeSystem(StrEnum):
    """Where a treatment's code comes from. HCPCS Level I is CPT."""

    HCPCS = "HCPCS"
    SNOMED_CT = "SNOMED-CT"


class QualityDataCode(StrEnum):
    """The three outcomes of a patient survey after treatment (HCPCS Level II)."""

    SCORE_IMPROVED = "G9603"
    RESULTS_NOT_AVAILABLE = "G9604"
    SCORE_NOT_IMPROVED = "G9605"


class CodingAction(StrEnum):
    """What the billing consumer must do with its active code of the episode."""

    NEW = "new"
    REPLACE = "replace"
    VOID = "void"


class Channel(StrEnum):
    """By which way a payer takes the code."""

    CLAIM = "claim"
    REGISTRY = "registry"
    BOTH = "both"
    HOLD = "hold"
