"""The kinds of value that the messages are made of, each with its bound.

They are built on pydantic-core's own schemas rather than on Python validators: a value is checked
in compiled code, on a path that every record takes.
"""

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from typing import Annotated

from pydantic import Field, GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema

IDENTIFIER_LENGTH_MAX = 256
ANSWERS_MAX = 200
ANSWER_MAX = 1_000
VERSION_MAX = 2**31 - 1
DIAGNOSES_MAX = 50
MODIFIERS_MAX = 10

DECIMAL_TEXT = r"^-?[0-9]{1,12}(\.[0-9]{1,12})?$"
MODIFIER_PATTERN = r"^[0-9A-Za-z]{2}$"
DIAGNOSIS_PATTERN = r"^[A-Za-z][0-9][0-9A-Za-z](\.?[0-9A-Za-z]{1,4})?$"
RFC3339_DATE_TIME = (
    r"^[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?([Zz]|[+-][0-9]{2}:[0-9]{2})$"
)


class _CoreField:
    """An annotation that brings its own validator and its own JSON Schema."""

    def __init__(self, validator: Callable[[], CoreSchema], json_schema: JsonSchemaValue) -> None:
        self._validator = validator
        self._json_schema = json_schema

    def __get_pydantic_core_schema__(self, _source: object, _handler: GetCoreSchemaHandler) -> CoreSchema:
        return self._validator()

    def __get_pydantic_json_schema__(self, _schema: CoreSchema, _handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return dict(self._json_schema)


def _exact_decimal() -> CoreSchema:
    # A string must look like a plain number ("1_0" and " 5 " do not); a number may be anything JSON
    # calls one, but a boolean. NaN and the infinities are no scores.
    bounded = core_schema.decimal_schema(max_digits=24, decimal_places=12, allow_inf_nan=False)
    text = core_schema.chain_schema([core_schema.str_schema(pattern=DECIMAL_TEXT, strict=True), bounded])
    number = core_schema.chain_schema(
        [
            core_schema.union_schema(
                [
                    core_schema.is_instance_schema(Decimal),
                    core_schema.int_schema(strict=True),
                    core_schema.float_schema(strict=True, allow_inf_nan=False),
                ],
                mode="left_to_right",
            ),
            bounded,
        ]
    )
    return core_schema.union_schema(
        [text, number],
        mode="left_to_right",
        serialization=core_schema.to_string_ser_schema(),
        custom_error_type="exact_decimal",
        custom_error_message="Input should be a number, or a plain decimal string, of at most 12 + 12 digits",
    )


def _instant() -> CoreSchema:
    # RFC 3339 in full: pydantic alone would also take a bare date, a naive time or seconds since 1970.
    # Digits beyond the microsecond are cut.
    return core_schema.union_schema(
        [
            core_schema.chain_schema(
                [
                    core_schema.str_schema(pattern=RFC3339_DATE_TIME, strict=True),
                    core_schema.datetime_schema(tz_constraint="aware"),
                ]
            ),
            core_schema.chain_schema(
                [core_schema.is_instance_schema(datetime), core_schema.datetime_schema(tz_constraint="aware")]
            ),
        ],
        mode="left_to_right",
        custom_error_type="rfc3339_date_time",
        custom_error_message="Input should be an RFC 3339 date-time with an offset",
    )


ExactDecimal = Annotated[
    Decimal,
    _CoreField(_exact_decimal, {"anyOf": [{"type": "number"}, {"type": "string", "pattern": DECIMAL_TEXT}]}),
]
"""A decimal as the producer wrote it: no binary float comes between the text and the comparison."""

Instant = Annotated[datetime, _CoreField(_instant, {"type": "string", "format": "date-time"})]
"""A point in time with the offset of the place where it was written down."""

Identifier = Annotated[str, Field(min_length=1, max_length=IDENTIFIER_LENGTH_MAX, strict=True)]
"""A name that some system gave to something; opaque to us."""

OptionalIdentifier = Annotated[Identifier | None, Field(default=None)]

RecordVersion = Annotated[int, Field(ge=1, le=VERSION_MAX, strict=True)]
"""Counts the corrections of one survey or treatment, from 1."""

Answer = Annotated[int, Field(ge=0, le=ANSWER_MAX, strict=True)]
"""The value ticked for one item of an instrument."""

Modifier = Annotated[str, Field(pattern=MODIFIER_PATTERN, strict=True)]
"""A two-character HCPCS or CPT modifier."""

DiagnosisCode = Annotated[str, Field(pattern=DIAGNOSIS_PATTERN, strict=True)]
"""An ICD-10-CM code, with or without its dot."""
