"""What stands as rows for a registry: MIPS measure #420, which registries alone collect.

CMSgov/qpp-measures-data, measures-data.json: #420, submissionMethods ["registry"]. How CMS names the columns of an
upload is each registry's own; `README.md` beside this file has what these hold.
"""

from schemas.coding_event import CodingEvent
from schemas.vocabulary import QualityDataCode

MEASURE = "420"
PROGRAM = "mips-420"
"""The program of a policy that decides by the measure's rules; what others decided is not the measure's."""
COLUMNS = (
    *("measure", "performance", "code", "patient_id", "episode_id", "encounter_id", "service_date", "rendering_npi"),
    *("facility_id", "payer_id", "diagnoses", "treatment_code", "treatment_at", "instrument", "instrument_version"),
    *("baseline_score", "baseline_at", "followup_score", "followup_at", "change", "policy", "event_id"),
)

# Which of CMS's classes G9604 is of could not be verified: it is named by itself.
_PERFORMANCE = {
    QualityDataCode.SCORE_IMPROVED: "met",
    QualityDataCode.SCORE_NOT_IMPROVED: "not met",
    QualityDataCode.RESULTS_NOT_AVAILABLE: "no results",
}


def is_of_measure(event: CodingEvent) -> bool:
    """Whether the rules of the measure were those that decided *event*."""
    return event.program == PROGRAM


def registry_row(event: CodingEvent) -> tuple[str, ...]:
    """The values of `COLUMNS`; empty where nothing was told."""
    told = {
        **{name: getattr(event, name) for name in COLUMNS if name in type(event).model_fields},
        "measure": MEASURE,
        "performance": _PERFORMANCE[event.code],
        "diagnoses": " ".join(event.diagnoses),
        "treatment_code": event.treatment.code,
        "treatment_at": event.treatment.performed_at.isoformat(),
        "instrument": event.instrument.id,
        "instrument_version": event.instrument.version,
        "baseline_score": event.baseline.score,
        "baseline_at": event.baseline.completed_at.isoformat(),
        "followup_score": event.followup.score if event.has_followup else None,
        "followup_at": event.followup.completed_at.isoformat() if event.has_followup else None,
        "change": event.change if event.has_followup else None,
        "policy": f"{event.policy.id} {event.policy.version}",
    }
    return tuple("" if told[name] is None else str(told[name]) for name in COLUMNS)
