"""What a policy file may say: its tables, and the default of each field.

The defaults are the contract's default policy. Payers alone have none: a charge must not come from a file
that nobody opened. ``policy_faults`` says what is wrong with a file, ``policy_loading`` turns a right one
into rules.
"""

from collections.abc import Sequence
from decimal import Decimal
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from schemas.fields import ExactDecimal
from schemas.vocabulary import Channel, QualityDataCode, Respondent
from streams.domain.policy import ThresholdKind
from streams.policies.policy_values import (
    EVERY_INSTRUMENT,
    AtLeastOne,
    Charge,
    CodePatterns,
    Days,
    Instruments,
    InstrumentsOrEvery,
    Modifiers,
    Name,
    PublishableCode,
    Text,
)

_PERCENT_MAX = 100


class PolicyRefusedError(Exception):
    """A policy is not fit to work by; ``faults`` are sentences, each with its place in the file."""

    def __init__(self, name: str, faults: Sequence[str]) -> None:
        self.faults = tuple(faults)
        super().__init__("\n".join([f"{name} is not fit to work by:", *self.faults]))


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class BaselineTable(_Table):
    """How long before a treatment a survey may be its baseline."""

    look_back_days: Days = 90


class FollowUpTable(_Table):
    """When a survey may be a follow-up, after the last qualifying treatment before it; both ends count."""

    from_days: Days = 0
    to_days: Days = 365


class ImprovementTable(_Table):
    """How much better is improved."""

    threshold: ThresholdKind = ThresholdKind.ANY
    value: Annotated[ExactDecimal, Field(gt=0)] | None = None

    @model_validator(mode="after")
    def _value_fits_threshold(self) -> Self:
        fault = _value_fault(self.threshold, self.value)
        if fault is not None:
            raise ValueError(fault)
        return self


def _value_fault(threshold: ThresholdKind, value: Decimal | None) -> str | None:
    match threshold:
        case ThresholdKind.ANY | ThresholdKind.PUBLISHED:
            return None if value is None else f'threshold "{threshold}" takes no value: leave the value out'
        case ThresholdKind.POINTS | ThresholdKind.PERCENT if value is None:
            return f'threshold "{threshold}" needs a value: say how many {threshold}'
        case ThresholdKind.PERCENT if value > _PERCENT_MAX:
            return f"{value} percent is more than the whole baseline: write 100 or less"
        case _:
            return None


class SurveysTable(_Table):
    """Which surveys count."""

    respondents: Annotated[frozenset[Respondent], AtLeastOne] = frozenset({Respondent.PATIENT})
    instruments: Annotated[InstrumentsOrEvery, AtLeastOne] = (EVERY_INSTRUMENT,)


class TreatmentsTable(_Table):
    """Which treatments a survey may follow."""

    qualifying: Annotated[CodePatterns, AtLeastOne] = ("HCPCS:*",)
    excluded: CodePatterns = ("HCPCS:97161-97168", "HCPCS:nnnnF", "HCPCS:G9603-G9605")


class RuleTables(_Table):
    """The tables that a program may narrow; which fields were stated is in each ``model_fields_set``."""

    baseline: BaselineTable = BaselineTable()
    follow_up: FollowUpTable = FollowUpTable()
    improvement: ImprovementTable = ImprovementTable()
    surveys: SurveysTable = SurveysTable()
    treatments: TreatmentsTable = TreatmentsTable()


class AppliesToTable(_Table):
    """What a program is for: these instruments, in episodes with these treatments."""

    instruments: Instruments = ()
    treatments: CodePatterns = ()

    @model_validator(mode="after")
    def _names_something(self) -> Self:
        if self.instruments or self.treatments:
            return self
        message = "name instruments, treatments or both: a program that applied to everything would replace the policy"
        raise ValueError(message)


class ProgramTable(RuleTables):
    """Rules of their own for some instruments or treatments."""

    id: Name
    applies_to: AppliesToTable


class PayerTable(_Table):
    """How one payer takes the code; its id and its name match without being repeated in ``matches``."""

    id: Name
    name: Name
    matches: tuple[Name, ...] = ()
    channel: Channel
    charge: Charge = "0.00"
    modifiers: Modifiers = ()
    filing_limit_days: Annotated[int, Field(ge=1, strict=True)] | None = None


class OtherPayerTable(_Table):
    """How the code is taken where no payer's table matches, or no payer is known."""

    channel: Channel = Channel.HOLD
    charge: Charge = "0.00"


class PolicyFile(RuleTables):
    """A whole policy file."""

    id: Name
    version: Name
    description: Text = ""
    published_codes: Annotated[frozenset[PublishableCode], AtLeastOne] = frozenset({QualityDataCode.SCORE_IMPROVED})
    retention_days: Annotated[int, Field(ge=1, strict=True)] | None = None
    payers: tuple[PayerTable, ...] = ()
    other_payer: OtherPayerTable = OtherPayerTable()
    programs: tuple[ProgramTable, ...] = ()
