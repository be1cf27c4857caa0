"""The report as CSV: a line for each group, a column for each number."""

import csv
import io
from collections.abc import Mapping, Sequence

from streams.outcomes.outcome import Dimension
from streams.outcomes.report import Row
from streams.outcomes.statistics import Estimate

_COLUMNS = (
    *("dimension", "group", "withheld", "followed", "improved", "improved_low", "improved_high"),
    *("mean_improvement", "mean_improvement_low", "mean_improvement_high", "mean_improvement_unit"),
    *("with_published_change", "met_published_change", "met_published_change_low", "met_published_change_high"),
    *("days_first_quartile", "days_median", "days_third_quartile"),
    *("awaited", "followed_up", "followed_up_low", "followed_up_high"),
)
_FORMULAS = ("=", "+", "-", "@", "\t", "\r")


def report_csv(rows: Mapping[Dimension, Sequence[Row]]) -> str:
    """All rows; what is withheld is empty."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(_COLUMNS)
    for of_dimension in rows.values():
        writer.writerows(_cells(row) for row in of_dimension)
    return text.getvalue()


def _cells(row: Row) -> list[str]:
    days = row.days_to_follow_up or ("", "", "")
    return [
        row.dimension.value,
        _plain(row.value),
        "yes" if row.withheld else "no",
        _count(row.followed),
        *_estimate(row.improved),
        *_estimate(row.change),
        row.change_unit,
        _count(row.with_published),
        *_estimate(row.met_published),
        *map(str, days),
        _count(row.awaited),
        *_estimate(row.followed_up),
    ]


def _count(number: int | None) -> str:
    return "" if number is None else str(number)


def _estimate(estimate: Estimate | None) -> list[str]:
    return ["", "", ""] if estimate is None else [f"{value:.4f}" for value in estimate]


def _plain(text: str) -> str:
    """*text* so that no spreadsheet takes it for a formula: names of sites and payers come from outside."""
    return f"'{text}" if text.startswith(_FORMULAS) else text
