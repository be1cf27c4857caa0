"""What came of care, counted: the numbers are right, they add up, and small ones cannot be had."""

import csv
import io
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from fractions import Fraction
from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streams.domain.episode import Arrival, Episode
from streams.outcomes.outcome import Dimension, FollowUpOutcome, outcomes_of
from streams.outcomes.report import report_rows
from streams.outcomes.report_page import report_page
from streams.outcomes.report_table import report_csv
from streams.outcomes.statistics import mean, quantile, rate
from streams.outcomes.suppression import SMALL_MAX, Cell, withheld
from streams.outcomes.tally import Group, Tally
from tests.episode_notation import facts_of
from tests.policies_for_tests import DEFAULT
from tests.strategies import histories

FOLLOW_UPS = st.builds(
    FollowUpOutcome,
    st.just(date(2026, 3, 1)),
    st.booleans(),
    st.sampled_from((Fraction(-3), Fraction(0), Fraction(5, 2))),
    st.sampled_from((Fraction(-1, 4), Fraction(0), Fraction(1, 3))),
    st.sampled_from((None, False, True)),
    st.integers(0, 400),
)
cells = st.builds(lambda of, share: Cell(of, min(of, share)), st.integers(0, 60), st.integers(0, 60))


def episode(line: str) -> Episode:
    return Episode().with_arrivals(Arrival(fact, 1) for fact in facts_of(line))


def group(*follow_ups: FollowUpOutcome | None) -> Group:
    counted = Group()
    for follow_up in follow_ups:
        counted.take(follow_up)
    return counted


# ---------------------------------------------------------------------------------------------
# Numbers
# ---------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("count", "of", "low", "high"),
    # Newcombe, Two-sided confidence intervals for the single proportion, Statistics in Medicine 17 (1998), table I,
    # method 3: the score interval.
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_the_interval_of_wilson(count: int, of: int, low: float, high: float) -> None:
    """As published, to four places."""
    estimate = rate(count, of)

    assert estimate is not None
    assert (round(estimate.low, 4), round(estimate.high, 4)) == (low, high)


@given(st.integers(1, 10_000).flatmap(lambda of: st.tuples(st.integers(0, of), st.just(of))))
def test_a_rate_lies_in_its_interval(counted: tuple[int, int]) -> None:
    """And the interval within 0 and 1; what is left has the interval turned around."""
    count, of = counted
    one, other = rate(count, of), rate(of - count, of)

    assert one is not None
    assert other is not None
    assert 0 <= one.low <= one.value <= one.high <= 1
    assert (other.low, other.high) == pytest.approx((1 - one.high, 1 - one.low))


def test_of_nothing_nothing_is_said() -> None:
    """No rate, no mean, no median."""
    assert (
        rate(0, 0),
        mean(Fraction(0), Fraction(0), 0),
        mean(Fraction(3), Fraction(9), 1),
        quantile(Counter(), 0.5),
    ) == (None, None, None, None)


@given(st.lists(st.integers(0, 50), min_size=2))
def test_means_and_quartiles_are_those_of_the_numbers(numbers: list[int]) -> None:
    """Computed from sums and counts, as from the numbers themselves."""
    estimate = mean(Fraction(sum(numbers)), Fraction(sum(n * n for n in numbers)), len(numbers))
    middle = quantile(Counter(numbers), 0.5)

    assert estimate is not None
    assert middle is not None
    assert estimate.value == pytest.approx(sum(numbers) / len(numbers))
    assert estimate.low <= estimate.value <= estimate.high
    assert sum(n <= middle for n in numbers) * 2 >= len(numbers) > 2 * sum(n < middle for n in numbers) - 1


# ---------------------------------------------------------------------------------------------
# Small numbers
# ---------------------------------------------------------------------------------------------
@given(st.dictionaries(st.text("abcdefg", min_size=1, max_size=2), cells, max_size=8))
def test_no_small_number_can_be_had(groups: Mapping[str, Cell]) -> None:
    """Nothing from 1 to 10 is shown; nor is it left when what is shown is taken from the total, unless it is all."""
    hidden = withheld(groups)
    shown = groups.keys() - hidden
    left = [sum(numbers) for numbers in zip(*(groups[name] for name in hidden), strict=True)]

    for name in shown:
        size, number = groups[name]
        assert not any(1 <= n <= SMALL_MAX for n in (size, number, size - number))
    if shown and hidden:
        size, number = left
        assert len(hidden) > 1
        assert not any(1 <= n <= SMALL_MAX for n in (size, number, size - number))


def test_large_groups_are_shown() -> None:
    """Nothing is withheld without need, and zero may be shown."""
    assert withheld({"a": Cell(100, 50), "b": Cell(30, 0), "c": Cell(0, 0), "d": Cell(22, 11)}) == frozenset()
    assert withheld({"a": Cell(100, 50), "b": Cell(30, 15), "c": Cell(4, 2)}) == {"b", "c"}


# ---------------------------------------------------------------------------------------------
# Outcomes
# ---------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("line", "improved", "points", "met", "days"),
    [
        ("odi 48 @-3d | T | odi 22 @+60d", True, 26, True, 60),
        ("odi 48 @-3d | T | odi 44 @+60d", True, 4, False, 60),
        ("odi 48 @-3d | T | odi 60 @+9d | odi 52 @+60d", False, -4, False, 60),
        ("lefs 20 @-3d | T | lefs 40 @+10d | lefs 60 @+60d", True, 20, True, 10),
        ("avvq 40 @-3d | T | avvq 30 @+60d", True, 10, None, 60),
    ],
    ids=["improved", "less-than-published", "worse-at-the-latest", "more-is-better-and-the-earliest", "none-published"],
)
def test_the_follow_up_that_counts(
    line: str,
    improved: bool,  # noqa: FBT001 - columns of a table
    points: int,
    met: bool | None,  # noqa: FBT001
    days: int,
) -> None:
    """The earliest improved, else the latest; better is positive on every scale."""
    (outcome,) = outcomes_of(episode(line), DEFAULT)

    assert outcome.follow_up is not None
    told = outcome.follow_up
    assert (told.improved, int(told.improvement_points), told.met_published_change, told.days) == (
        improved,
        points,
        met,
        days,
    )


def test_what_was_never_followed_up_is_awaited() -> None:
    """It counts where the share with a follow-up is told; without a baseline before a treatment it does not count."""
    (outcome,) = outcomes_of(episode("odi 48 @-3d | T"), DEFAULT)

    assert outcome.follow_up is None
    assert Dimension.MONTH not in outcome.places
    assert not list(outcomes_of(episode("T | odi 48 @+3d"), DEFAULT))


@settings(max_examples=40, deadline=None)
@given(st.lists(histories(), max_size=3), st.integers(0, 3))
def test_tallies_add_up(told: list[list], cut: int) -> None:  # type: ignore[type-arg]
    """However the episodes are dealt out; and every dimension has all outcomes, but months only those followed up."""
    episodes = [Episode().with_arrivals(Arrival(fact, 1) for fact in facts) for facts in told]
    whole, first, second = Tally(), Tally(), Tally()
    for number, one in enumerate(episodes):
        whole.take(outcomes_of(one, DEFAULT))
        (first if number < cut else second).take(outcomes_of(one, DEFAULT))
    first += second

    assert first == whole
    everything = whole.groups[Dimension.ALL].get("all", Group())
    for dimension, groups in whole.groups.items():
        assert sum(g.followed for g in groups.values()) == everything.followed
        expected = everything.followed if dimension is Dimension.MONTH else everything.awaited
        assert sum(g.awaited for g in groups.values()) == expected


def test_only_follow_ups_in_the_time_asked_for() -> None:
    """From the first date to before the second."""
    one = episode("odi 48 @-3d | T | odi 22 @+60d")
    on = date(2025, 3, 16)

    def followed(since: date | None, until: date | None) -> int:
        tally = Tally()
        tally.take(outcomes_of(one, DEFAULT), since=since, until=until)
        return tally.groups[Dimension.ALL].get("all", Group()).followed

    assert [followed(on, None), followed(None, on), followed(date(2025, 3, 17), None), followed(None, None)] == [
        1,
        0,
        0,
        1,
    ]


# ---------------------------------------------------------------------------------------------
# Documents
# ---------------------------------------------------------------------------------------------
class _Page(HTMLParser):
    """What a page would fetch, and whether it runs anything."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.links: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.links += [value or "" for name, value in attrs if name in {"href", "src", "action", "data"}]


@settings(max_examples=40, deadline=None)
@given(st.dictionaries(st.sampled_from(("<script>", "=1+1", "a & b", 'q"', "-x")), st.lists(FOLLOW_UPS, max_size=40)))
def test_documents_tell_what_the_rows_tell(told: dict[str, list[FollowUpOutcome]]) -> None:
    """The page fetches and runs nothing, whatever a site is called; the CSV has the rows, and no formula in them."""
    tally = Tally()
    tally.groups[Dimension.SITE] = {name: group(*follow_ups) for name, follow_ups in told.items()}
    rows = report_rows(tally)
    page = _Page()
    html = report_page(rows, policy="<b>", scope="all")
    page.feed(html)
    lines = list(csv.DictReader(io.StringIO(report_csv(rows))))

    assert not {"script", "link", "img", "iframe", "b"} & set(page.tags)
    assert page.links == []
    assert not re.search(r"url\(|@import", html)
    assert [line["group"].removeprefix("'") for line in lines] == [row.value for row in rows[Dimension.SITE]]
    assert not any(line["group"].startswith(("=", "-")) for line in lines)
    for line, row in zip(lines, rows[Dimension.SITE], strict=True):
        assert line["followed"] == ("" if row.withheld else str(row.followed))


def test_a_report_without_outcomes_says_so() -> None:
    """Nothing is divided by nothing."""
    assert "too few outcomes" in report_page(report_rows(Tally()), policy="default 1", scope="all")


def test_the_policy_decides_what_improved_is() -> None:
    """Judged by another threshold, the same follow-up is not improved."""
    published = replace(DEFAULT, rules=replace(DEFAULT.rules, look_back_days=1))

    assert not list(outcomes_of(episode("odi 48 @-3d | T | odi 22 @+60d"), published))
