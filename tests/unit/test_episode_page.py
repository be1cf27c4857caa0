"""Each rule with its verdict, what would change it, and the page: it says all, fetches nothing, and obeys nobody."""

import re
from collections.abc import Sequence
from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from msgspec.structs import replace

from streams.domain.coder import CodedEpisode, advance
from streams.domain.episode import Arrival
from streams.domain.fact import Fact, Survey
from streams.domain.instant import Instant
from streams.domain.policy import Policy
from streams.explanation.episode import EpisodeExplanation, explain_episode
from streams.explanation.episode_page import episode_page
from streams.explanation.verdicts import Verdict
from tests.episode_notation import NOON_US, facts_of
from tests.policies_for_tests import DEFAULT, POLICIES
from tests.strategies import arrivals, policies

DAY_MS = 86_400_000
STORY = "odi 48 @-3d | T | odi 22 @+60d"


def known(facts: Sequence[Fact], policy: Policy = DEFAULT, at_ms: int = NOON_US // 1000 + 61 * DAY_MS) -> CodedEpisode:
    coded = CodedEpisode()
    for fact in facts:
        coded = advance(coded, [Arrival(fact, at_ms)], episode_id="E1", policy=policy).after
    return coded


def explained(line: str, policy: Policy = DEFAULT, **fields: str) -> EpisodeExplanation:
    facts = [replace(fact, **fields) for fact in facts_of(line)]
    return explain_episode("E1", known(facts, policy), policy)


class _Page(HTMLParser):
    """What is on a page, and what it would fetch."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.fetched: list[str] = []
        self.text = ""
        self.ids: list[str] = []
        self.labelled_by: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        told = dict(attrs)
        self.fetched += [told[name] or "" for name in ("href", "src", "xlink:href", "action", "data") if name in told]
        self.ids += [told["id"] or ""] if "id" in told else []
        self.labelled_by += [told["aria-labelledby"] or ""] if "aria-labelledby" in told else []

    def handle_data(self, data: str) -> None:
        self.text += data


# ---------------------------------------------------------------------------------------------
# Verdicts
# ---------------------------------------------------------------------------------------------
@settings(max_examples=80, deadline=None)
@given(arrivals(), policies())
def test_verdicts_say_what_the_decision_says(arrived: list[Arrival], policy: Policy) -> None:
    """Of each instrument all stages are met, or those before the one that failed; no other is judged."""
    coded = advance(CodedEpisode(), arrived, episode_id="E1", policy=policy).after
    explanation = explain_episode("E1", coded, policy)

    for told in explanation.findings:
        verdicts = [rule.verdict for rule in told.rules]
        stages = [rule.rule for rule in told.rules]
        missing = told.finding.missing
        failed = len(stages) if missing is None else stages.index(missing.stage.value)
        assert verdicts[:failed] == [Verdict.MET] * failed
        assert verdicts[failed : failed + 1] == [Verdict.NOT_MET][: len(stages) - failed]
        assert set(verdicts[failed + 1 :]) <= {Verdict.NOT_REACHED}
        assert all(rule.sentence for rule in told.rules)


@pytest.mark.parametrize(
    ("line", "policy", "would_change", "done"),
    [
        ("odi 48 @-3d | T", "default", "odi that is answered from 2025-01-15 to 2026-01-15", "odi 22 @+365d #x ev:x"),
        ("T | odi 22 @+60d", "default", "odi that was answered from 2024-10-17 to 2025-01-15", "odi 48 @-90d #x ev:x"),
        ("odi 48 @-3d | T | odi 60 @+9d", "default", "a score below 48 would be", "odi 47.9 @+10d #x ev:x"),
        ("lefs 48 @-3d | T | lefs 9 @+9d", "default", "a score above 48 would be", "lefs 49 @+10d #x ev:x"),
        ("odi 48 @-3d | T | odi 44 @+9d", "published", "a score of 38 or less would be", "odi 38 @+10d #x ev:x"),
    ],
    ids=["follow-up", "baseline", "less-is-better", "more-is-better", "published-change"],
)
def test_what_would_change_it_does(line: str, policy: str, would_change: str, done: str) -> None:
    """It is told in dates and scores, and once it is done, there is a code."""
    before = explained(line, POLICIES[policy])
    after = explained(f"{line} | {done}", POLICIES[policy])

    assert would_change in (before.would_change or "")
    assert after.would_change is None
    assert [rule.verdict for rule in after.rules if rule.rule == "published code"] == [Verdict.MET]


def test_where_the_scale_ends_nothing_is_promised() -> None:
    """A baseline at the best score cannot be improved on."""
    assert "the scale ends before" in (explained("odi 0 @-3d | T | odi 5 @+9d").would_change or "")


@pytest.mark.parametrize(
    ("payer", "days", "verdicts"),
    [
        ("medicare", 61, {"payer": Verdict.MET, "filing limit": Verdict.MET}),
        ("medicare", 60 + 366, {"payer": Verdict.MET, "filing limit": Verdict.ATTENTION}),
        ("acme", 61, {"payer": Verdict.ATTENTION}),
    ],
    ids=["in-time", "past-the-filing-limit", "unknown-payer"],
)
def test_what_the_payer_asks_for(payer: str, days: int, verdicts: dict[str, Verdict]) -> None:
    """Who takes the code, and whether it was decided in time, by the input's own times."""
    facts = [replace(fact, payer_id=payer) for fact in facts_of(STORY)]
    explanation = explain_episode("E1", known(facts, at_ms=NOON_US // 1000 + days * DAY_MS), DEFAULT)
    told = {rule.rule: rule.verdict for rule in explanation.rules}

    assert {rule: told.get(rule) for rule in verdicts} == verdicts


def test_without_a_survey_the_rules_say_so() -> None:
    """The first rule is not met, and the sentence is that of the decision."""
    explanation = explained("T")

    assert [(rule.rule, rule.verdict) for rule in explanation.rules] == [
        ("survey", Verdict.NOT_MET),
        ("baseline", Verdict.NOT_MET),
    ]
    assert explanation.rules[-1].sentence == explanation.sentence


# ---------------------------------------------------------------------------------------------
# The page
# ---------------------------------------------------------------------------------------------
@settings(max_examples=60, deadline=None)
@given(arrivals(), policies())
def test_a_page_says_all_of_any_episode(arrived: list[Arrival], policy: Policy) -> None:
    """Each fact, rule and event is in words on it; every picture has a description, under an id of its own."""
    coded = advance(CodedEpisode(), arrived, episode_id="E1", policy=policy).after
    explanation = explain_episode("E1", coded, policy)
    page = _Page(episode_page(explanation, policy))

    told = [told.part.why for told in explanation.facts]
    told += [rule.sentence for rule in explanation.rules]
    told += [event["event_id"] for event in explanation.events]
    assert [words for words in told if words not in page.text] == []
    assert page.tags.count("svg") == len(page.labelled_by) == len(set(page.ids))
    assert set(page.labelled_by) == set(page.ids)
    assert page.fetched == []


def test_what_was_sent_is_text() -> None:
    """An id may look like HTML: it is shown, and never obeyed."""
    hostile = '</svg></style><script>alert(1)</script><img src=x onerror=1>"&'
    facts = [replace(f, source=hostile, patient_id=hostile, payer_id=hostile) for f in facts_of(STORY)]
    html = episode_page(explain_episode(hostile, known(facts), DEFAULT), DEFAULT)
    page = _Page(html)

    assert hostile in page.text
    assert not {"script", "img"} & set(page.tags)
    assert not re.search(r"url\(|@import|\bon[a-z]+=", html.replace("onerror=1&gt;", ""))


@pytest.mark.parametrize("at_us", [-62_135_596_800_000_000, 253_402_300_799_000_000], ids=["year-1", "year-9999"])
def test_the_ends_of_the_calendar_are_drawn(at_us: int) -> None:
    """A sender may write any date, and any Kafka timestamp."""
    here = Instant(at_us, 0)
    for line in (STORY, "odi 48 | T", "T | odi 22"):
        facts: list[Fact] = [
            replace(f, completed_at=here) if isinstance(f, Survey) else replace(f, performed_at=here)
            for f in facts_of(line)
        ]
        explanation = explain_episode("E1", known(facts, at_ms=2**62), DEFAULT)
        assert episode_page(explanation, DEFAULT)


def test_a_filing_limit_past_the_calendar() -> None:
    """It is told as the calendar's last day, and a decision after the year 9999 as on that day."""
    shift_us = 253_402_000_000_000_000 - NOON_US - 60 * 86_400_000_000
    facts: list[Fact] = [
        replace(f, completed_at=Instant(f.completed_at.epoch_us + shift_us, 0), payer_id="medicare")
        if isinstance(f, Survey)
        else replace(f, performed_at=Instant(f.performed_at.epoch_us + shift_us, 0))
        for f in facts_of(STORY)
    ]
    told = explain_episode("E1", known(facts, at_ms=2**62), DEFAULT).rules[-1]

    assert (told.rule, "until 9999-12-31" in told.sentence) == ("filing limit", True)


def test_the_picture_shows_what_counts() -> None:
    """Baseline, anchor, follow-up with its change, what was asked for, the bands, and each event with its revision."""
    page = _Page(episode_page(explained(f"{STORY} #f | odi 20 @+60d #f v2 amended ev:x"), DEFAULT))

    for words in (
        "48 baseline",
        "97110 anchor",
        "20 improved follow-up, change -28",
        "22 version 1, superseded",
        "better than 48",
        "look-back 90 days, from 2024-10-17",
        "follow-up window, 2025-01-15 to 2026-01-15",
        "1  new G9603",
        "2  replace G9603",
    ):
        assert words in page.text, words
