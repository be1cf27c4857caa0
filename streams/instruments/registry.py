"""Which instruments there are: ``registry.toml``, read once and checked entry by entry.

An instrument is added by adding data, so the data is checked as code would be: a wrong entry is refused
with a sentence for each field, before it can become a score that nobody can explain.
"""

import tomllib
from collections.abc import Iterator
from decimal import Decimal
from functools import cache
from importlib import resources
from typing import Annotated, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    TypeAdapter,
    ValidationError,
    model_validator,
)

from streams.domain.instrument import (
    ImprovementNotation,
    Instrument,
    InstrumentRegistry,
    ItemRule,
    PublishedChange,
    ScoreKind,
)


class InstrumentRegistryError(ValueError):
    """The registry has entries that are no instruments; a line of the message for each wrong field."""


def _absent_as_none(table: object) -> object:
    # TOML has no null, and the value has no defaults: a change without its points is not left out by chance.
    return {"points": None, "percent_of_baseline": None, **table} if isinstance(table, dict) else table


def _checked_change(change: PublishedChange) -> PublishedChange:
    sizes = [size for size in (change.points, change.percent_of_baseline) if size is not None]
    if not sizes or min(sizes) <= 0:
        message = "give points, percent_of_baseline or both, above 0, or leave the table out"
        raise ValueError(message)
    if not change.reference.strip():
        message = "give the reference: a number without its publication cannot be defended to a payer"
        raise ValueError(message)
    return change


def _checked_rule(rule: ItemRule) -> ItemRule:
    if not rule.answer_min < rule.answer_max:
        message = "answer_min must be less than answer_max"
        raise ValueError(message)
    if not 0 <= rule.unanswered_max < rule.item_count:
        message = "unanswered_max must be from 0 to item_count - 1: a form without one answer has no score"
        raise ValueError(message)
    if strays := [item for item in _items_named_in(rule) if not 1 <= item <= rule.item_count]:
        message = f"skips or item_answers name item {strays[0]}, but items go from 1 to {rule.item_count}"
        raise ValueError(message)
    return rule


def _items_named_in(rule: ItemRule) -> Iterator[int]:
    yield from rule.item_answers
    for skip in rule.skips:
        yield from skip.after_lowest
        yield from skip.items


_Loinc = Annotated[str, Field(pattern=r"^[0-9]{1,7}-[0-9]$")]
_Id = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]


class _InstrumentTable(BaseModel):
    """One table of the file; its dataclass fields take over ``extra="forbid"``."""

    model_config = ConfigDict(extra="forbid")

    name: Annotated[str, Field(min_length=1)]
    improvement_notation: ImprovementNotation
    score_kind: ScoreKind
    score_min: Decimal
    score_max: Decimal
    loinc: _Loinc | None = None
    loinc_by_version: dict[str, _Loinc] = {}
    published_change: (
        Annotated[PublishedChange, BeforeValidator(_absent_as_none), AfterValidator(_checked_change)] | None
    ) = None
    items: Annotated[ItemRule, AfterValidator(_checked_rule)] | None = None

    @model_validator(mode="after")
    def _fields_agree(self) -> Self:
        if not self.score_min < self.score_max:
            message = "score_min must be less than score_max"
            raise ValueError(message)
        if self.loinc is not None and self.loinc_by_version:
            message = "give loinc or loinc_by_version: a default beside versions would be a guess for others"
            raise ValueError(message)
        return self


_TABLES = TypeAdapter(dict[_Id, _InstrumentTable])


def parse_registry(text: str) -> dict[str, Instrument]:
    """The instruments of a TOML *text*, by id, in its order.

    Raises:
        InstrumentRegistryError: The text is no TOML, or an entry is no instrument.
    """
    try:
        tables = _TABLES.validate_python(tomllib.loads(text, parse_float=Decimal))
    except tomllib.TOMLDecodeError as error:
        message = f"The instrument registry is not TOML: {error}."
        raise InstrumentRegistryError(message) from error
    except ValidationError as error:
        raise InstrumentRegistryError("\n".join(_sentences(error))) from error
    return {name: Instrument(id=name, **dict(table)) for name, table in tables.items()}


def _sentences(error: ValidationError) -> Iterator[str]:
    for fault in error.errors():
        instrument, *field = fault["loc"]
        where = f"field {'.'.join(map(str, field))}" if field else "the entry as a whole"
        what = fault["msg"].removeprefix("Value error, ")
        yield f"Instrument {instrument} in the registry, {where}: {what}."


@cache
def load_registry() -> InstrumentRegistry:
    """The instruments that come with the package; one copy for all callers."""
    return parse_registry(resources.files("streams.instruments").joinpath("registry.toml").read_text("utf-8"))
