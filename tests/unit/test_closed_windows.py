"""A window that closed without a follow-up: when that is so, what is coded then, and what takes it back.

The notation is explained in ``tests/episode_notation.py``; a policy's name in ``tests/policies_for_tests.py``.
"""

import io
from typing import Any

import orjson
import pytest
from msgspec.structs import replace
from rich.console import Console

from schemas.coding_event import CodingEvent
from streams.billing.exports.charge_item import charge_item
from streams.billing.exports.registry import COLUMNS, registry_row
from streams.cli.explanation_view import explanation_view
from streams.domain.coder import CodedEpisode, advance
from streams.domain.decision import decide
from streams.domain.episode import Arrival
from streams.domain.fact import Fact
from streams.explanation.episode import explain_episode
from streams.explanation.episode_page import episode_page
from streams.explanation.verdicts import Verdict
from streams.policy_comparison.comparison import PolicyComparison
from tests.billing_consumer import billed
from tests.episode_notation import NOON_US, facts_of, outcome
from tests.policies_for_tests import DEFAULT, POLICIES

DAY_MS = 86_400_000
NO_FOLLOW_UP = "odi 48 @-3d | T"
CLOSED = "G9604 odi 48 closed 2026-01-15"
WAITS = "follow-up: no_follow_up"

CASES = [
    ("all three", "on its last day", NO_FOLLOW_UP, 365, WAITS),
    ("all three", "a day later", NO_FOLLOW_UP, 366, CLOSED),
    ("all three", "no time is known", NO_FOLLOW_UP, None, WAITS),
    ("default", "the policy does not ask", NO_FOLLOW_UP, 9_999, WAITS),
    ("any, G9605", "it asks for another", NO_FOLLOW_UP, 9_999, WAITS),
    ("any, G9604", "it asks for this", NO_FOLLOW_UP, 366, CLOSED),
    ("all three", "no baseline", "T", 9_999, "baseline: no_baseline"),
    ("all three", "no treatment", "odi 48 @-3d", 9_999, "treatment: no_treatment"),
    ("all three", "a follow-up improved", f"{NO_FOLLOW_UP} | odi 22 @+60d", 9_999, "G9603 odi 48→22"),
    ("all three", "one did not", f"{NO_FOLLOW_UP} | odi 60 @+60d", 9_999, "G9605 odi 48→60"),
    ("any, G9604", "a result is no want of one", f"{NO_FOLLOW_UP} | odi 60 @+60d", 9_999, "improvement: not_improved"),
    (
        "any, G9604",
        "nor where it is another's",
        "nprs 5 @-3d | odi 48 @-3d | T | nprs 6 @+9d",
        9_999,
        "improvement: not_improved",
    ),
    ("all three", "too late", f"{NO_FOLLOW_UP} | odi 22 @+366d", 9_999, CLOSED),
    ("all three", "a proxy's", f"{NO_FOLLOW_UP} | odi 22 @+60d proxy", 9_999, CLOSED),
    ("all three", "in error", f"{NO_FOLLOW_UP} | odi 22 @+60d void", 9_999, CLOSED),
    ("all three", "opened anew", f"{NO_FOLLOW_UP} | T 97140 @+9d", 374, WAITS),
    ("all three", "and closed", f"{NO_FOLLOW_UP} | T 97140 @+9d", 375, "G9604 odi 48 closed 2026-01-24"),
    ("all three", "by no evaluation", f"{NO_FOLLOW_UP} | T 97161 @+9d", 366, CLOSED),
    ("all three", "the day of the place", "odi 48 @-3d | T utc+13", 9_999, "G9604 odi 48 closed 2026-01-16"),
    ("all three", "two, the first by order", "nprs 5 @-3d | odi 48 @-3d | T", 9_999, CLOSED),
    ("all three", "one of two was answered", "nprs 5 @-3d | odi 48 @-3d | T | nprs 6 @+9d", 9_999, "G9605 nprs 5→6"),
    (
        "veins, all three",
        "one window of two is open",
        "avvq 40 @-3d | odi 48 @-3d | T 36475",
        184,
        WAITS,
    ),
    (
        "veins, all three",
        "the last to close",
        "avvq 40 @-3d | odi 48 @-3d | T 36475",
        366,
        f"{CLOSED} by 36475",
    ),
    (
        "veins, all three",
        "the program's window",
        "avvq 40 @-3d | T 36475",
        184,
        "G9604 avvq 40 closed 2025-07-17 by 36475",
    ),
]


def as_of_ms(day: int | None) -> int:
    """Noon of a day, counted from day zero."""
    return 0 if day is None else NOON_US // 1_000 + day * DAY_MS


@pytest.mark.parametrize(
    ("policy", "episode", "day", "expected"),
    [(policy, *row) for policy, _, *row in CASES],
    ids=[f"{policy}: {case}" for policy, case, *_ in CASES],
)
def test_outcome(policy: str, episode: str, day: int | None, expected: str) -> None:
    """As of noon of a day."""
    assert outcome(decide(facts_of(episode), POLICIES[policy], as_of_ms(day))) == expected


def test_its_last_microsecond_is_within() -> None:
    """A follow-up at the very end of the window counts, so it has closed only after that."""
    facts = facts_of(f"{NO_FOLLOW_UP} #t")
    a_little_later = facts_of("odi 48 @-3d | T @+1us")

    assert outcome(decide(facts, POLICIES["all three"], as_of_ms(365))) == WAITS
    assert outcome(decide(a_little_later, POLICIES["all three"], as_of_ms(365))) == WAITS
    assert outcome(decide(facts, POLICIES["all three"], as_of_ms(365) + 1)) == CLOSED


# ---------------------------------------------------------------------------------------------
# What billing is told
# ---------------------------------------------------------------------------------------------
def events_after(*told: tuple[int, list[Fact]], policy: str = "all three") -> list[dict[str, Any]]:
    """The coding events where some facts come on some days, each taken in as of its day."""
    coded = CodedEpisode()
    for day, facts in told:
        arrived = [Arrival(fact, as_of_ms(day)) for fact in facts]
        step = advance(coded, arrived, episode_id="E1", policy=POLICIES[policy], as_of_ms=as_of_ms(day))
        coded = step.after
    events: list[dict[str, Any]] = orjson.loads(orjson.dumps(list(coded.ledger.events("E1"))))
    billed(events)
    return events


def test_the_whole_event() -> None:
    """The anchor's own fields, the baseline in the place of a follow-up, and the day on which the window closed."""
    baseline, treatment = facts_of(NO_FOLLOW_UP)
    told = [replace(baseline, payer_id="medicare"), replace(treatment, payer_id="aetna", encounter_id="visit-1")]
    arrived = [Arrival(fact, as_of_ms(1)) for fact in told]
    policy = POLICIES["all three"]
    event = advance(CodedEpisode(), arrived, episode_id="E1", policy=policy, as_of_ms=as_of_ms(400)).event

    assert event is not None
    assert billed([orjson.loads(orjson.dumps(event))]) is not None
    assert {name: event[name] for name in ("code", "service_date", "payer_id", "encounter_id", "change")} == {
        "code": "G9604",
        "service_date": "2026-01-15",
        "payer_id": "aetna",
        "encounter_id": "visit-1",
        "change": "0",
    }
    assert event["followup"] == event["baseline"]
    assert event["not_available"][-3:] == ("followup", "change", "threshold")
    assert event["decided_at"] == "2026-02-19T12:00:00.000Z"


@pytest.mark.parametrize(
    ("policy", "late", "actions"),
    [
        ("all three", "odi 22 @+60d ev:late #late", [("new", "G9604"), ("replace", "G9603")]),
        ("all three", "odi 60 @+60d ev:late #late", [("new", "G9604"), ("replace", "G9605")]),
        ("any, G9604", "odi 60 @+60d ev:late #late", [("new", "G9604"), ("void", "G9604")]),
        ("all three", "odi 22 @+366d ev:late #late", [("new", "G9604")]),
        ("all three", "T 97140 @+300d ev:late #late", [("new", "G9604"), ("void", "G9604")]),
        ("all three", "odi 48 @-3d #b void v2 ev:late", [("new", "G9604"), ("void", "G9604")]),
    ],
    ids=["improved", "not-improved", "not-published", "outside-the-window", "opened-anew", "no-baseline-any-more"],
)
def test_what_comes_late_supersedes(policy: str, late: str, actions: list[tuple[str, str]]) -> None:
    """Answered in time and sent late, a survey counts; so do treatments and corrections."""
    events = events_after((366, facts_of("odi 48 @-3d #b | T")), (400, facts_of(late)), policy=policy)

    assert [(event["action"], event["code"]) for event in events] == actions


# ---------------------------------------------------------------------------------------------
# What others say of it
# ---------------------------------------------------------------------------------------------
def known(episode: str = NO_FOLLOW_UP, *, day: int = 400) -> CodedEpisode:
    """An episode as it is known on a day, after all of it came."""
    arrived = [Arrival(fact, as_of_ms(day)) for fact in facts_of(episode)]
    policy = POLICIES["all three"]
    return advance(CodedEpisode(), arrived, episode_id="E1", policy=policy, as_of_ms=as_of_ms(day)).after


def test_before_it_closes_the_explanation_says_when() -> None:
    """And what would come before."""
    told = explain_episode("E1", known(day=300), POLICIES["all three"], as_of_ms=as_of_ms(300))

    assert told.would_change == (
        "A survey of odi that is answered from 2025-01-15 to 2026-01-15 would be a follow-up. If none comes, G9604 is "
        "coded after 2026-01-15."
    )


def test_the_explanation_agrees_as_of_the_ticks_and_not_before() -> None:
    """What it rests on is the instrument whose window closed; billing holds what is decided as of the same time."""
    coded, policy = known(), POLICIES["all three"]
    told = explain_episode("E1", coded, policy, as_of_ms=as_of_ms(400))

    assert told.agreement.agrees
    assert told.sentence.startswith("No follow-up on odi is known, and the window closed on 2026-01-15")
    assert {rule.rule: rule.verdict for rule in told.rules}["follow-up"] is Verdict.NOT_MET
    assert not explain_episode("E1", coded, policy).agreement.agrees
    page, view = episode_page(told, policy), Console(file=io.StringIO(), width=120)
    view.print(explanation_view(told))
    assert "service date 2026-01-15" in page
    assert "odi 48, no follow-up" in page
    assert "patient survey results not available" in view.file.getvalue()  # type: ignore[attr-defined]


def test_a_policy_that_asks_for_it_gains_what_has_closed() -> None:
    """`policy diff` counts it as of a day, and what a switch would publish."""
    compared = PolicyComparison()
    for day in (365, 366):
        compared.take(
            "E1", CodedEpisode(known(day=300).episode), DEFAULT, POLICIES["all three"], as_of_ms=as_of_ms(day)
        )

    assert (compared.differences, compared.actions) == ({"gained": 1}, {"new": 1})


def test_what_billing_systems_read_has_no_follow_up() -> None:
    """One observation, and nothing in a registry's columns where there is nothing."""
    (event,) = (CodingEvent.model_validate(told) for told in known().ledger.events("E1"))
    row = dict(zip(COLUMNS, registry_row(event), strict=True))

    assert [row[name] for name in ("performance", "followup_score", "followup_at", "change")] == [
        "no results",
        "",
        "",
        "",
    ]
    assert row["baseline_score"] == "48"
    told = [reference["type"] for reference in charge_item(event)["supportingInformation"]]
    assert told == ["Observation"]
