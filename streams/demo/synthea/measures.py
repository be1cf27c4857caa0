"""Which codes of a bundle are about which condition: ``mapping.toml``, turned round for looking up."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources


@dataclass(frozen=True, slots=True)
class Measure:
    """An instrument, and the condition for which it is asked."""

    condition: str
    instrument: str

    def episode_id(self, patient_id: str) -> str:
        """The episode of one patient's condition, as this instrument measures it."""
        return f"{patient_id}:{self.condition}:{self.instrument}"


@dataclass(frozen=True, slots=True)
class MeasureTable:
    """What the codes mean; a code that is not here means nothing to us."""

    by_loinc: Mapping[str, tuple[Measure, ...]]
    """The measure that an Observation with this code is a result of."""
    by_snomed_ct: Mapping[str, tuple[Measure, ...]]
    """The measures of all conditions that a Procedure with this code is about."""


@cache
def measure_table() -> MeasureTable:
    """The table that comes with the package."""
    toml = tomllib.loads(resources.files(__package__).joinpath("mapping.toml").read_text("utf-8"))
    by_loinc: dict[str, tuple[Measure, ...]] = {}
    by_snomed_ct: dict[str, tuple[Measure, ...]] = {}
    for condition, about in toml["conditions"].items():
        measures = {loinc: Measure(condition, instrument) for loinc, instrument in about["surveys"].items()}
        by_loinc |= {loinc: (measure,) for loinc, measure in measures.items()}
        for code in (*about["treatments"], *about["assessments"]):
            by_snomed_ct[code] = (*by_snomed_ct.get(code, ()), *measures.values())
    return MeasureTable(by_loinc, by_snomed_ct)
