"""Which instruments there are, which way each gets better, and how a wrong entry is refused."""

import re
from decimal import Decimal
from importlib import resources

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.domain.instrument import ImprovementNotation, Instrument, ScoreKind
from streams.instruments.registry import InstrumentRegistryError, load_registry, parse_registry

HIGHER_IS_BETTER = {
    "promis_pf", "promis_gph", "koos_jr", "hoos_jr", "lefs", "sf12_pcs", "eq5d5l_us", "veines_qol",
}  # fmt: skip
WITHOUT_ITEM_RULE = {
    "promis_pi", "promis_pf", "promis_gph", "koos_jr", "hoos_jr",
    "sf12_pcs", "eq5d5l_us", "avvq", "veines_qol", "vvsymq",
}  # fmt: skip

DEMO = """
[demo]
name = "Demonstration"
improvement_notation = "decrease"
score_kind = "raw"
score_min = 0
score_max = 10
"""
ITEMS = """
[demo.items]
method = "sum"
item_count = 5
answer_min = 0
answer_max = 2
"""
CHANGE = "[demo.published_change]\n"


def instrument(notation: ImprovementNotation) -> Instrument:
    return Instrument("demo", "Demonstration", notation, ScoreKind.RAW, Decimal(0), Decimal(100))


scores = st.decimals(-1000, 1000, places=4)
instruments = st.sampled_from(list(load_registry().values()))


def test_the_registry_is_in_order() -> None:
    """The default order of precedence is the order of the file: the spine first, the veins last."""
    assert list(load_registry()) == [
        "odi", "rmdq", "nprs", "ndi", "promis_pi", "promis_pf", "promis_gph", "phq9", "gad7", "pcl5", "audit",
        "koos_jr", "hoos_jr", "lefs", "dash", "quickdash", "sf12_pcs", "eq5d5l_us",
        "avvq", "civiq20", "veines_qol", "vvsymq",
    ]  # fmt: skip


def test_the_registry_is_read_once() -> None:
    """All callers share one registry."""
    assert load_registry() is load_registry()


@pytest.mark.parametrize("known", load_registry().values(), ids=lambda known: known.id)
def test_better_is_the_published_direction(known: Instrument) -> None:
    """Function and quality of life get better upwards, complaints and disability downwards."""
    better = ImprovementNotation.INCREASE if known.id in HIGHER_IS_BETTER else ImprovementNotation.DECREASE

    assert better is known.improvement_notation


def test_item_rules_are_those_that_may_be_passed_on() -> None:
    """Instruments that need a table, weights or a value set have no item rule; all others have one."""
    assert {known.id for known in load_registry().values() if known.items is None} == WITHOUT_ITEM_RULE


@pytest.mark.parametrize(
    ("id_", "points", "percent"),
    [
        ("odi", "10", "30"),
        ("rmdq", "5", "30"),
        ("nprs", "2", "30"),
        ("ndi", "10", None),
        ("promis_pi", "5.5", None),
        ("promis_pf", "3.6", None),
        ("phq9", "1.7", "20"),
        ("gad7", "1.5", "27"),
        ("pcl5", "10", None),
        ("hoos_jr", "7.76", None),
        ("lefs", "9", None),
        ("dash", "11.8", None),
        ("quickdash", "13.6", None),
        ("sf12_pcs", "4.6", None),
    ],
)
def test_published_changes_are_exact(id_: str, points: str, percent: str | None) -> None:
    """A published change is the decimal that was published, with a reference that was read."""
    change = load_registry()[id_].published_change

    assert change is not None
    assert points == str(change.points)
    assert percent == (None if change.percent_of_baseline is None else str(change.percent_of_baseline))
    assert "unverified" not in change.reference


def test_unverified_changes_say_so() -> None:
    """A number that nobody has read in its publication is marked in its reference."""
    changes = {known.id: known.published_change for known in load_registry().values()}

    assert {"promis_gph", "koos_jr", "eq5d5l_us"} == {
        id_ for id_, change in changes.items() if change is not None and "unverified" in change.reference
    }


def test_no_change_is_invented() -> None:
    """Where no change is agreed in the literature, the registry has none."""
    without = {known.id for known in load_registry().values() if known.published_change is None}

    assert without == {"audit", "avvq", "civiq20", "veines_qol", "vvsymq"}


@pytest.mark.parametrize(
    ("id_", "version", "loinc"),
    [
        pytest.param("odi", None, "97909-6", id="one-for-all-versions"),
        pytest.param("odi", "2.1a", "97909-6", id="one-for-all-versions-named"),
        pytest.param("promis_pi", "1.0", "77865-4", id="pain-interference-1.0"),
        pytest.param("promis_pi", "1.1", "89924-5", id="pain-interference-1.1"),
        pytest.param("promis_pi", "v1.1", "89924-5", id="with-its-v"),
        pytest.param("promis_pi", "PROMIS-29", "71961-7", id="without-case"),
        pytest.param("promis_pi", "1.2", None, id="unknown-version"),
        pytest.param("promis_pi", None, None, id="absent-version"),
        pytest.param("promis_pf", "1.1", None, id="version-of-the-other-one"),
        pytest.param("audit", None, None, id="weak-evidence"),
        pytest.param("pcl5", None, None, id="repositories-disagree"),
    ],
)
def test_loinc_is_known_or_absent(id_: str, version: str | None, loinc: str | None) -> None:
    """A LOINC code is given where it was verified for the version, and never guessed."""
    assert loinc == load_registry()[id_].loinc_for(version)


def luhn_digit(digits: str) -> str:
    """The check digit of LOINC: modulus 10, doubling from the right."""
    doubled = [int(digit) * (2 - place % 2) for place, digit in enumerate(reversed(digits))]
    return str(-sum(number // 10 + number % 10 for number in doubled) % 10)


@pytest.mark.parametrize("known", load_registry().values(), ids=lambda known: known.id)
def test_loinc_codes_are_not_mistyped(known: Instrument) -> None:
    """Every LOINC code has its check digit."""
    for loinc in filter(None, [known.loinc, *known.loinc_by_version.values()]):
        digits, _, check = loinc.partition("-")
        assert check == luhn_digit(digits)


@pytest.mark.parametrize(
    ("notation", "baseline", "follow_up", "improvement"),
    [
        ("decrease", "44", "30", "14"),
        ("decrease", "30", "44", "-14"),
        ("increase", "44", "30", "-14"),
        ("increase", "30.5", "44.25", "13.75"),
        ("decrease", "12", "12", "0"),
    ],
)
def test_improvement_is_positive_when_better(notation: str, baseline: str, follow_up: str, improvement: str) -> None:
    """An improvement is counted in score points in the instrument's better direction."""
    scale = instrument(ImprovementNotation(notation))

    assert Decimal(improvement) == scale.improvement(Decimal(baseline), Decimal(follow_up))


@given(known=instruments, baseline=scores, follow_up=scores)
def test_going_back_loses_what_was_gained(known: Instrument, baseline: Decimal, follow_up: Decimal) -> None:
    """An improvement undone is exactly as much of a loss."""
    assert known.improvement(baseline, follow_up) == -known.improvement(follow_up, baseline)


@given(known=instruments, data=st.data())
def test_the_best_score_cannot_improve(known: Instrument, data: st.DataObject) -> None:
    """From the best score of the scale no score is an improvement; from the worst none is a loss."""
    ends = known.score_min, known.score_max
    worst, best = ends if known.improvement_notation is ImprovementNotation.INCREASE else reversed(ends)
    score = data.draw(st.decimals(*ends, places=4))

    assert known.improvement(best, score) <= 0 <= known.improvement(worst, score)


@pytest.mark.parametrize("known", load_registry().values(), ids=lambda known: known.id)
def test_the_scale_has_its_ends_and_nothing_beyond(known: Instrument) -> None:
    """Both ends are scores; the next decimal outside is not."""
    beyond = Decimal("0.0001")

    assert known.admits(known.score_min)
    assert known.admits(known.score_max)
    assert not known.admits(known.score_min - beyond)
    assert not known.admits(known.score_max + beyond)


def test_an_instrument_is_added_by_adding_data() -> None:
    """A table is an instrument; what it leaves out is unknown, not assumed."""
    (demo,) = parse_registry(DEMO + ITEMS).values()

    assert demo.id == "demo"
    assert demo.loinc is None
    assert demo.published_change is None
    assert demo.items is not None
    assert demo.items.unanswered_max == 0


def test_decimals_are_exact() -> None:
    """A number of the file never passes through a binary float."""
    (demo,) = parse_registry(DEMO.replace("= 0", "= -0.5730000000000000000001")).values()

    assert str(demo.score_min) == "-0.5730000000000000000001"


def test_the_readme_shows_an_instrument() -> None:
    """The example of the README can be copied into the registry as it stands."""
    readme = resources.files("streams.instruments").joinpath("README.md").read_text("utf-8")
    _, example, _ = re.split("```(?:toml)?\n", readme)

    assert "example" in parse_registry(example)


@pytest.mark.parametrize(
    ("text", "field", "what"),
    [
        pytest.param(DEMO.replace("raw", "points"), "score_kind", "Input should be 'raw'", id="kind"),
        pytest.param(DEMO.replace("score_max = 10", ""), "score_max", "required", id="missing"),
        pytest.param(DEMO.replace("= 10", "= nan"), "score_max", "finite", id="not-a-number"),
        pytest.param(DEMO + "loink = '1-8'", "loink", "not permitted", id="misspelt"),
        pytest.param(DEMO + "loinc = '979096'", "loinc", "match pattern", id="no-loinc"),
        pytest.param(DEMO + ITEMS + "item_cont = 5", "items.item_cont", "Unexpected", id="misspelt-in-items"),
        pytest.param(DEMO + ITEMS.replace("= 2", "= 0"), "items", "answer_min must", id="one-answer"),
        pytest.param(DEMO + ITEMS + "unanswered_max = 5", "items", "unanswered_max must", id="all-blank"),
        pytest.param(DEMO + ITEMS + "item_answers = { 6 = [0] }", "items", "item 6", id="no-such-item"),
        pytest.param(
            DEMO + ITEMS + "skips = [{ after_lowest = [1], items = [0] }]",
            "items",
            "items go from 1 to 5",
            id="items-count-from-1",
        ),
        pytest.param(DEMO + CHANGE + "reference = 'A 2020'", "published_change", "points", id="no-size"),
        pytest.param(DEMO + CHANGE + "reference = 'A 2020'\npoints = 0", "published_change", "above 0", id="no-change"),
        pytest.param(DEMO + CHANGE + "points = 5", "published_change.reference", "required", id="no-source"),
        pytest.param(DEMO + CHANGE + "reference = ' '\npoints = 5", "published_change", "reference", id="blank-source"),
    ],
)
def test_a_wrong_field_is_named(text: str, field: str, what: str) -> None:
    """What is wrong is told in a sentence that names the instrument and the field."""
    with pytest.raises(InstrumentRegistryError) as caught:
        parse_registry(text)

    assert str(caught.value).startswith(f"Instrument demo in the registry, field {field}: ")
    assert what in str(caught.value)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        pytest.param("[demo", "The instrument registry is not TOML: ", id="no-toml"),
        pytest.param(DEMO.replace("demo", "Demo"), "Instrument Demo .*: .*match pattern", id="id"),
        pytest.param("demo = 5", "Instrument demo .*, the entry as a whole: ", id="no-table"),
        pytest.param(DEMO.replace("= 10", "= 0"), "the entry as a whole: score_min must", id="empty-range"),
        pytest.param(DEMO + "loinc = '1-8'\nloinc_by_version = { 2 = '1-8' }", "give loinc or", id="guessing-loinc"),
    ],
)
def test_a_wrong_entry_is_refused(text: str, sentence: str) -> None:
    """An entry whose fields do not agree, or that is none, is told in a sentence too."""
    with pytest.raises(InstrumentRegistryError, match=sentence):
        parse_registry(text)


def test_every_fault_has_its_line() -> None:
    """All wrong fields are told at once."""
    with pytest.raises(InstrumentRegistryError) as caught:
        parse_registry(DEMO.replace("= 10", "= 'ten'") + "loinc = '979096'")

    assert len(str(caught.value).splitlines()) == 2
