"""Which number a score is: exactly the one that was written, or that the answers give, or none."""

from decimal import Decimal
from typing import Any

import orjson
import pytest

from streams.intake.rejection import RejectionReason
from tests.example_messages import ODI_HALF, SURVEY, rejection, scored, survey_of


@pytest.mark.parametrize(
    ("written", "score"),
    [
        ("42.5", "42.5"),
        ("42.50", "42.5"),
        ('"42.50"', "42.5"),
        ("4.25e1", "42.5"),
        ("0.1", "0.1"),
        ("1e2", "100"),
        ("0", "0"),
        ("-0", "0"),
        ("-0.0", "0"),
        ('"-0.00"', "0"),
        ("3.499999999999", "3.499999999999"),
        ("3.50000000000000000000000000000000", "3.5"),
        ('"0.000000000001"', "1E-12"),
        ("1e-12", "1E-12"),
    ],
)
def test_a_score_is_the_number_that_was_written(written: str, score: str) -> None:
    """Equal numbers make equal facts, to the byte; no binary float comes between."""
    assert str(survey_of(scored(written)).score) == score


@pytest.mark.parametrize(
    "written",
    [
        "3.4999999999999999999",  # as a float it is 3.5
        '"3.4999999999999999999"',
        '1, "\\u0073core": 3.4999999999999999999',
        '1, "sc\\u006fre": 3.4999999999999999999',
        '1, "note": "score", "\\u0073core": 3.4999999999999999999',
        "100.00000000000000000001",
        "1e400",
        "-1e400",
        "1e-13",
        "1234567890123",
        "NaN",
        "-Infinity",
        "true",
        '"NaN"',
        '"1_0"',
        '" 5"',
        '"5\\n"',
        '"+5"',
        '"1e1"',
        '".5"',
        '""',
        "[5]",
        '{"value": 5}',
    ],
)
def test_what_is_no_exact_score_of_12_and_12_digits_is_refused(written: str) -> None:
    """A score is never rounded into a decision."""
    assert rejection(scored(written)) is RejectionReason.INVALID


@pytest.mark.parametrize("exponent", [400, 10**9, 10**30])
def test_a_number_in_a_field_of_the_future_is_nobodys_business(exponent: int) -> None:
    """A number that no decimal can hold does no harm where it is not read, beside a score that is read exactly."""
    value = scored(f'42.50000000000000000, "future": 1e{exponent}')
    assert survey_of(value).score == Decimal("42.5")


@pytest.mark.parametrize(
    ("changes", "score"),
    [
        pytest.param({"answers": ODI_HALF}, "50", id="computed"),
        pytest.param({"answers": [*ODI_HALF[:8], None, None]}, "50", id="as many blanks as allowed"),
        pytest.param({"answers": [*ODI_HALF[:7], None, None, None]}, None, id="a blank more"),
        pytest.param(
            {"answers": [*ODI_HALF[:7], None, None, None], "score": 50}, None, id="a blank more, with a score"
        ),
        pytest.param({"answers": ODI_HALF, "score": "50.00"}, "50", id="agreeing"),
        pytest.param(
            {"answers": [5, 5, 5, *[1] * 6, None], "score": 46.66667}, "46.6667", id="agreeing to four places"
        ),
        pytest.param({"instrument": "promis_pi", "answers": [1, 2], "score": 61.2}, "61.2", id="no rule, but a score"),
        pytest.param({"answers": None, "score": 50}, "50", id="null is none"),
        pytest.param({"answers": ODI_HALF, "score": None}, "50", id="a null score"),
    ],
)
def test_answers(changes: dict[str, Any], score: str | None) -> None:
    fact = survey_of(orjson.dumps(SURVEY | changes))
    assert fact.score == (Decimal(score) if score is not None else None)
