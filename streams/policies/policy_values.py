"""What a single value in a policy file must be: an instrument, a code pattern, a modifier, a code to publish.

A validator that refuses says in its message what to write instead; the place in the file is put before it by
``policy_faults``. The instrument registry is the context of the validation.
"""

import re
from collections.abc import Collection
from difflib import get_close_matches
from typing import Annotated, Literal, TypeVar

from pydantic import AfterValidator, Field, PlainValidator, StringConstraints, ValidationInfo

from schemas.fields import IDENTIFIER_LENGTH_MAX
from schemas.vocabulary import QualityDataCode
from streams.domain.code_set import CodeSet
from streams.domain.policy import REFUSED_MODIFIERS

EVERY_INSTRUMENT = "*"
MODIFIERS_ON_A_LINE_MAX = 4
"""X12 837P 005010X222A1, SV101-3 to SV101-6."""

_ValuesT = TypeVar("_ValuesT", bound=Collection[object])

_MODIFIER_FORM = re.compile(r"[0-9A-Za-z]{2}")


def _publishable(value: object) -> QualityDataCode:
    for code in QualityDataCode:
        if value == code:
            return code
    message = f'{value!r} is not a code that is published: write "G9603", "G9604" or "G9605"'
    raise ValueError(message)


def _known_instrument(name: str, info: ValidationInfo) -> str:
    registry = info.context or {}
    if name in registry:
        return name
    if near := get_close_matches(name, registry, n=1):
        hint = f'did you mean "{near[0]}"?'
    elif name == EVERY_INSTRUMENT:
        hint = "where every one is meant, leave instruments out"
    else:
        hint = f"there are {', '.join(registry)}"
    message = f'no instrument is called "{name}": {hint}'
    raise ValueError(message)


def _known_instrument_or_every(name: str, info: ValidationInfo) -> str:
    return name if name == EVERY_INSTRUMENT else _known_instrument(name, info)


def _code_pattern(pattern: str) -> str:
    CodeSet([pattern])  # raises where it is none
    return pattern


def _billable_modifier(text: str) -> str:
    if not _MODIFIER_FORM.fullmatch(text):
        message = f'"{text}" is no modifier: write two characters, letters or digits'
        raise ValueError(message)
    modifier = text.upper()
    if modifier in REFUSED_MODIFIERS:
        message = f"{modifier} never goes on a quality-data code: {REFUSED_MODIFIERS[modifier]}"
        raise ValueError(message)
    return modifier


def _some(values: _ValuesT) -> _ValuesT:
    if not values:
        message = "name at least one"
        raise ValueError(message)
    return values


def _without_repetition(names: tuple[str, ...]) -> tuple[str, ...]:
    for place, name in enumerate(names):
        if name in names[:place]:
            message = f'"{name}" stands there twice'
            raise ValueError(message)
    return names


AtLeastOne = AfterValidator(_some)
"""For lists that may not be empty. (pydantic's ``min_length`` would count wrong entries as none.)"""

Text = Annotated[str, Field(strict=True)]
Name = Annotated[
    str, StringConstraints(strict=True, strip_whitespace=True, min_length=1, max_length=IDENTIFIER_LENGTH_MAX)
]
"""What something is called; white space around it does not count."""

Days = Annotated[int, Field(ge=0, strict=True)]
"""Whole days, of 24 hours each."""

PublishableCode = Annotated[QualityDataCode, PlainValidator(_publishable)]
CodePatterns = tuple[Annotated[Text, AfterValidator(_code_pattern)], ...]
"""Treatment codes, as ``streams.domain.code_set`` reads them."""

Instruments = Annotated[
    tuple[Annotated[Text, AfterValidator(_known_instrument)], ...], AfterValidator(_without_repetition)
]
"""Ids of the registry, each once."""

InstrumentsOrEvery = Annotated[
    tuple[Annotated[Text, AfterValidator(_known_instrument_or_every)], ...],
    AfterValidator(_without_repetition),
]
"""The same, and ``*`` for all that are not named."""

Modifiers = Annotated[
    tuple[Annotated[Text, AfterValidator(_billable_modifier)], ...],
    Field(max_length=MODIFIERS_ON_A_LINE_MAX),
    AfterValidator(_without_repetition),
]
"""Modifiers in upper case, as many as a claim line takes."""

Charge = Literal["0.00", "0.01"]
"""US dollars: a quality-data code is not paid, but its line needs a charge."""
