"""Treatments in DFT^P03: a charge (CG) is one, a credit (CD) takes it back."""

from collections.abc import Iterator, Sequence
from functools import partial

from schemas.vocabulary import RecordStatus, TreatmentCodeSystem
from streams.adapters.adaptation import NOT_FINAL, Fields, Part, transport
from streams.adapters.hl7v2.around import around
from streams.adapters.hl7v2.message import Segment, Segments, name_of, place, repetitions, text_at, told
from streams.adapters.hl7v2.moments import moment, version_at
from streams.adapters.mapping import Mapping
from streams.processing.topology import InputKind

_STATUS = {"CG": RecordStatus.COMPLETED, "CD": RecordStatus.ENTERED_IN_ERROR}
"""By FT1-6 (table 0017): the others are payments and adjustments."""
_CODE_SYSTEMS = {
    "C4": TreatmentCodeSystem.HCPCS,
    "HCPCS": TreatmentCodeSystem.HCPCS,
    "HPC": TreatmentCodeSystem.HCPCS,
    "SCT": TreatmentCodeSystem.SNOMED_CT,
}
"""Of table 0396; C4 is CPT-4."""
_ICD_10_CM = frozenset({"I10C", "I10", "ICD10CM", "ICD-10-CM"})
_REQUIRED = ("episode_id", "patient_id", "code", "performed_at")
_SYSTEM_COMPONENT = 3


class Treatments:
    """Reads treatments by a mapping.

    Args:
        mapping: Where a message tells the fields of a treatment.
        source: The sending system.
    """

    def __init__(self, mapping: Mapping, source: str) -> None:
        self._mapping = mapping
        self._source = source
        self._places = mapping.hl7v2.treatment
        self._times = mapping.time_reading
        self._systems = _CODE_SYSTEMS | mapping.code_systems
        self._looked_for = {"treatment_id": ", ".join(self._places["treatment_id"])}
        self._looked_for |= {name: ", ".join(self._places[name]) for name in _REQUIRED}
        self._looked_for["code"] += f" with a third component of {', '.join(self._systems)}"

    def of_patient(self, block: Sequence[Segment], segments: Segments) -> Iterator[Part]:
        """What may be treatments among a patient's transactions.

        Args:
            block: The patient's segments.
            segments: Of each kind the first.
        """
        diagnoses = [segment for segment in block if name_of(segment) == "DG1"]
        transactions = (segment for segment in block if name_of(segment) == "FT1")
        for number, transaction in enumerate(transactions, start=1):
            read = partial(self._fields, {**segments, "FT1": transaction}, diagnoses)
            yield Part(InputKind.TREATMENT, f"FT1 {number}", self._looked_for, read)

    def _fields(self, segments: Segments, diagnosis_segments: Sequence[Segment]) -> Fields | str:
        status = _STATUS.get(text_at(segments["FT1"], 6))
        if status is None:
            return NOT_FINAL
        is_void = status is RecordStatus.ENTERED_IN_ERROR
        treatment_id = told(segments, self._places["voided_treatment_id" if is_void else "treatment_id"])
        version = version_at(told(segments, self._places["version"]), self._times)
        if version is not None and is_void:
            version += 1  # a credit comes after its charge, also within the second
        code, system = self._coded(segments)
        performed_at = told(segments, self._places["performed_at"])
        return {
            **transport(self._source, treatment_id, version, status),
            "treatment_id": treatment_id,
            "code": code,
            "code_system": system,
            "modifiers": self._repeated(segments, "modifiers") or None,
            "performed_at": moment(performed_at, self._times, self._times.treatment_day),
            "diagnoses": self._diagnoses(segments, diagnosis_segments) or None,
            **around(segments, self._places, self._mapping),
        }

    def _coded(self, segments: Segments) -> tuple[str | None, TreatmentCodeSystem | None]:
        for text in self._places["code"]:
            at = place(text)
            segment = segments.get(at.segment)
            code = text_at(segment, at.field) if segment is not None else ""
            system = self._systems.get(text_at(segment, at.field, _SYSTEM_COMPONENT)) if code else None
            if system is not None:
                return code, system
        return None, None

    def _repeated(self, segments: Segments, name: str) -> list[str]:
        for text in self._places[name]:
            at = place(text)
            segment = segments.get(at.segment)
            numbers = repetitions(segment, at.field) if segment is not None else ()
            found = [text_at(segment, at.field, at.component, at.subcomponent, repetition=n) for n in numbers]
            if any(found):
                return [one for one in found if one]
        return []

    def _diagnoses(self, segments: Segments, diagnosis_segments: Sequence[Segment]) -> list[str]:
        """The ICD-10-CM codes of the first of the places that tells any; each once."""
        for text in self._places["diagnoses"]:
            at = place(text)
            told_in = diagnosis_segments if at.segment == "DG1" else [segments.get(at.segment)]
            codes = [
                text_at(segment, at.field, repetition=number)
                for segment in told_in
                if segment is not None
                for number in repetitions(segment, at.field)
                if text_at(segment, at.field, _SYSTEM_COMPONENT, repetition=number) in _ICD_10_CM
            ]
            if codes:
                return list(dict.fromkeys(codes))
        return []
