"""Which score answers make, and what every item rule of the registry has in common."""

import re
from collections.abc import Sequence
from decimal import ROUND_UP, localcontext
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.domain.instrument import Instrument, ItemRule, ScoringMethod
from streams.domain.scoring import AnswersRejectedError, score_answers
from streams.instruments.registry import load_registry

SCORED = [instrument for instrument in load_registry().values() if instrument.items is not None]
PLAIN = re.compile(r"0|[1-9][0-9]*|(0|[1-9][0-9]*)\.[0-9]{0,3}[1-9]")


def rule_of(instrument: str) -> ItemRule:
    rule = load_registry()[instrument].items
    assert rule is not None
    return rule


def answers_to(rule: ItemRule, *, blanks: bool = False) -> st.SearchStrategy[list[int | None]]:
    """Any answers that the items of *rule* have; with *blanks*, some of them None."""
    blank = [None] if blanks else []
    every = range(rule.answer_min, rule.answer_max + 1)
    choices = [[*blank, *rule.item_answers.get(item, every)] for item in range(1, rule.item_count + 1)]
    return st.tuples(*map(st.sampled_from, choices)).map(list)


scored_instruments = st.sampled_from(SCORED)
interchangeable = st.sampled_from([i for i in SCORED if i.items and not i.items.skips])


@pytest.mark.parametrize(
    ("instrument", "answers", "score"),
    [
        # sum / 50 * 100: 20 of 50 points; 17 of 50
        pytest.param("odi", [2] * 10, "40", id="odi-full"),
        pytest.param("odi", [0, 1, 2, 3, 4, 5, 0, 1, 1, 0], "34", id="odi-uneven"),
        # sum / (5 * answered) * 100: 20 of 45; 14 of 40; 3 of 45, the third place 6.6666...
        pytest.param("odi", [3, 3, 2, 2, 2, 2, 2, 2, 2, None], "44.4444", id="odi-one-blank"),
        pytest.param("odi", [None, 1, 2, 3, 2, None, 1, 2, 2, 1], "35", id="odi-two-blanks"),
        pytest.param("odi", [1, 1, 1, 0, 0, 0, None, 0, 0, 0], "6.6667", id="odi-rounded-up"),
        # one point for each yes; what was not ticked does not apply
        pytest.param("rmdq", [1] * 7 + [0] * 17, "7", id="rmdq-full"),
        pytest.param("rmdq", [1] * 7 + [None] * 17, "7", id="rmdq-blank-is-no"),
        pytest.param("rmdq", [0] + [None] * 23, "0", id="rmdq-one-answer"),
        pytest.param("nprs", [6], "6", id="nprs"),
        # 21 of 50 points; one blank: 18 of 45 points are 20 of 50; 17 of 45 are 18.888...
        pytest.param("ndi", [3, 2, 1, 4, 0, 2, 3, 1, 2, 3], "21", id="ndi-full"),
        pytest.param("ndi", [2, 2, 2, 2, None, 2, 2, 2, 2, 2], "20", id="ndi-one-blank"),
        pytest.param("ndi", [1, 2, 2, 2, None, 2, 2, 2, 2, 2], "18.8889", id="ndi-one-blank-rounded"),
        pytest.param("phq9", [3, 2, 2, 1, 0, 1, 3, 0, 0], "12", id="phq9"),
        pytest.param("gad7", [1, 2, 3, 0, 1, 2, 0], "9", id="gad7"),
        pytest.param("pcl5", [2] * 19 + [4], "42", id="pcl5"),
        pytest.param("audit", [3, 2, 1, 0, 0, 0, 1, 0, 2, 4], "13", id="audit-full"),
        # never drinks: only the last two are asked; drinks little: items 4 to 8 are not asked
        pytest.param("audit", [0, *[None] * 7, 0, 2], "2", id="audit-abstinent"),
        pytest.param("audit", [2, 0, 0, *[None] * 5, 0, 0], "2", id="audit-little"),
        pytest.param("audit", [0, 3, *[None] * 6, 0, 0], "3", id="audit-answered-though-skipped"),
        pytest.param("lefs", [4] * 10 + [1] * 10, "50", id="lefs"),
        # (sum - 30) / 1.2: (75 - 30) / 1.2; one blank: (72 / 29 - 1) * 25 = 37.06896...
        pytest.param("dash", [2, 3] * 15, "37.5", id="dash-full"),
        pytest.param("dash", [2, 3] * 14 + [2, None], "37.069", id="dash-one-blank"),
        # (mean - 1) * 25: (27 / 11 - 1) * 25 = 36.3636...; one blank: (25 / 10 - 1) * 25
        pytest.param("quickdash", [3, 2, 3, 2, 3, 2, 3, 2, 3, 2, 2], "36.3636", id="quickdash-full"),
        pytest.param("quickdash", [3, 2, 3, 2, 3, 2, 3, 2, 3, 2, None], "37.5", id="quickdash-one-blank"),
        # (raw - 20) / 80 * 100: raw 44; raw 39
        pytest.param("civiq20", [2] * 16 + [3] * 4, "30", id="civiq20"),
        pytest.param("civiq20", [2] * 19 + [1], "23.75", id="civiq20-uneven"),
    ],
)
def test_answers_score_as_published(instrument: str, answers: Sequence[int | None], score: str) -> None:
    """A score is what the instrument's publication makes of the answers, computed here by hand."""
    assert score == str(score_answers(rule_of(instrument), answers))


@pytest.mark.parametrize(
    ("instrument", "answers"),
    [
        pytest.param("odi", [2] * 7 + [None] * 3, id="odi-three-blanks"),
        pytest.param("ndi", [2] * 8 + [None] * 2, id="ndi-two-blanks"),
        pytest.param("rmdq", [None] * 24, id="rmdq-empty-form"),
        pytest.param("nprs", [None], id="nprs-empty"),
        pytest.param("phq9", [1] * 8 + [None], id="phq9-one-blank"),
        pytest.param("dash", [1] * 26 + [None] * 4, id="dash-four-blanks"),
        pytest.param("quickdash", [1] * 9 + [None] * 2, id="quickdash-two-blanks"),
        pytest.param("audit", [0, *[None] * 8, 0], id="audit-item-9-is-always-asked"),
        pytest.param("audit", [2, 0, 1, *[None] * 5, 0, 0], id="audit-nothing-to-skip"),
        pytest.param("audit", [2, None, None, *[0] * 5, 0, 0], id="audit-blanks-skip-nothing"),
    ],
)
def test_too_many_blanks_make_no_score(instrument: str, answers: Sequence[int | None]) -> None:
    """Where more items are blank than the instrument allows, there is no score, and no fault."""
    assert score_answers(rule_of(instrument), answers) is None


@pytest.mark.parametrize(
    ("instrument", "answers", "reason", "sentence"),
    [
        pytest.param("phq9", [1] * 10, "answer_count", "10 answers to 9 items", id="one-too-many"),
        pytest.param("phq9", [], "answer_count", "0 answers to 9 items", id="none-at-all"),
        pytest.param("phq9", [1] * 8 + [4], "answer_value", "Item 9 .* between 0 and 3", id="above"),
        pytest.param("dash", [0] + [1] * 29, "answer_value", "Item 1 .* between 1 and 5", id="below"),
        pytest.param("audit", [1] * 8 + [3, 0], "answer_value", "Item 9 .* of 0, 2, 4", id="audit-item-9"),
        pytest.param("odi", [6] + [None] * 9, "answer_value", "Item 1 ", id="wrong-though-incomplete"),
    ],
)
def test_foreign_answers_are_rejected(
    instrument: str, answers: Sequence[int | None], reason: str, sentence: str
) -> None:
    """Answers that the instrument does not have are rejected with the reason and the item."""
    with pytest.raises(AnswersRejectedError, match=sentence) as caught:
        score_answers(rule_of(instrument), answers)

    assert reason == caught.value.reason


@pytest.mark.parametrize(
    ("points", "score"),
    [
        pytest.param(1, "0.7812", id="0.78125-to-the-even-2"),
        pytest.param(3, "2.3438", id="2.34375-to-the-even-8"),
    ],
)
def test_ties_round_to_even(points: int, score: str) -> None:
    """A score halfway between two fourth places takes the even one."""
    rule = ItemRule(ScoringMethod.PERCENT, item_count=32, answer_min=0, answer_max=4)

    assert score == str(score_answers(rule, [points] + [0] * 31))


def test_the_surrounding_precision_is_not_used() -> None:
    """A score is the same whatever decimal context its caller has set."""
    rule = ItemRule(ScoringMethod.PERCENT, item_count=17, answer_min=0, answer_max=9)

    with localcontext(prec=2, rounding=ROUND_UP):
        assert str(score_answers(rule, [5] * 17)) == "55.5556"


@pytest.mark.parametrize("instrument", SCORED, ids=lambda instrument: instrument.id)
def test_the_extreme_answers_reach_the_ends(instrument: Instrument) -> None:
    """The lowest answers give the lowest score of the registry, and the highest the highest."""
    rule = rule_of(instrument.id)

    assert instrument.score_min == score_answers(rule, [rule.answer_min] * rule.item_count)
    assert instrument.score_max == score_answers(rule, [rule.answer_max] * rule.item_count)


@given(instrument=scored_instruments, data=st.data())
def test_complete_answers_have_a_score_on_the_scale(instrument: Instrument, data: st.DataObject) -> None:
    """Any complete answers make a score, and the instrument admits it."""
    rule = rule_of(instrument.id)
    score = score_answers(rule, data.draw(answers_to(rule)))

    assert score is not None
    assert instrument.admits(score)


@given(instrument=scored_instruments, data=st.data())
def test_incomplete_answers_have_a_plain_score_on_the_scale_or_none(
    instrument: Instrument, data: st.DataObject
) -> None:
    """Blanks never lead off the scale, and a score is written without exponent or trailing zeros."""
    rule = rule_of(instrument.id)
    score = score_answers(rule, data.draw(answers_to(rule, blanks=True)))

    assert score is None or (instrument.admits(score) and PLAIN.fullmatch(str(score)))


@given(instrument=interchangeable, data=st.data())
def test_the_order_of_answers_does_not_matter(instrument: Instrument, data: st.DataObject) -> None:
    """Where items count alike and none is skipped, the same answers in any order make the same score."""
    rule = rule_of(instrument.id)
    answers = data.draw(answers_to(rule, blanks=True))

    assert score_answers(rule, answers) == score_answers(rule, data.draw(st.permutations(answers)))


@given(instrument=scored_instruments, data=st.data())
def test_a_higher_answer_never_lowers_the_score(instrument: Instrument, data: st.DataObject) -> None:
    """Raising answers to complete items moves the score up or not at all."""
    rule = rule_of(instrument.id)
    answers, others = data.draw(answers_to(rule)), data.draw(answers_to(rule))
    raised = [max(a or 0, b or 0) for a, b in zip(answers, others, strict=True)]

    before, after = score_answers(rule, answers), score_answers(rule, raised)

    assert before is not None
    assert after is not None
    assert before <= after


@given(
    answers=st.lists(st.none() | st.integers(1, 7), min_size=1, max_size=60).filter(any),
    method=st.sampled_from([ScoringMethod.PRORATED, ScoringMethod.PERCENT]),
)
def test_scores_are_exact_to_the_fourth_place(answers: list[int | None], method: ScoringMethod) -> None:
    """A score is the exact quotient rounded once, as fractions give it."""
    rule = ItemRule(method, len(answers), answer_min=1, answer_max=7, unanswered_max=len(answers) - 1)
    known = [answer for answer in answers if answer is not None]
    score = score_answers(rule, answers)

    assert score is not None
    mean = Fraction(sum(known), len(known))
    exact = mean * len(answers) if method is ScoringMethod.PRORATED else (mean - 1) / 6 * 100
    assert round(exact, 4) == Fraction(score)
