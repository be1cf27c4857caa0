"""Why an episode is coded, or is not, in the words that a person reads: case by case.

The notation of the episodes is explained in ``tests/episode_notation.py``; a policy's name in
``tests/policies_for_tests.py``. The fact that a row is about has the transport event ``ev:it``.
"""

import json
import re
from dataclasses import replace
from pathlib import Path

import orjson
import pytest
from hypothesis import given, settings
from msgspec.structs import replace as with_fields

from streams.demo.health_system.generation import generate
from streams.domain.coder import CodedEpisode, advance
from streams.domain.decision import decide
from streams.domain.episode import Arrival, Episode
from streams.domain.fact import Fact
from streams.domain.policy import Policy
from streams.explanation.episode import EpisodeExplanation, explain_episode
from streams.intake.decoder import Decoder
from tests.episode_notation import facts_of
from tests.policies_for_tests import DEFAULT, INSTRUMENTS, POLICIES
from tests.strategies import arrivals, policies

GOLDEN = Path(__file__).parents[1] / "golden" / "explanation_of_low_back_pain.json"
STORY = "odi 48 @-3d | T | odi 22 @+60d"
TOLD_AT_MS = 1_750_000_000_000


def coded_after(facts: list[Fact], policy: Policy = DEFAULT) -> CodedEpisode:
    """What a worker knows after one fact after the other."""
    coded = CodedEpisode()
    for number, fact in enumerate(facts):
        coded = advance(coded, [Arrival(fact, TOLD_AT_MS + number)], episode_id="episode", policy=policy).after
    return coded


def explained(episode: str, policy: Policy = DEFAULT) -> EpisodeExplanation:
    """The explanation of the episode in the line *episode*."""
    return explain_episode("episode", coded_after(facts_of(episode), policy), policy)


# ---------------------------------------------------------------------------------------------
# Facts
# ---------------------------------------------------------------------------------------------
_BASELINE = "baseline: the latest survey in the 90 days up to the anchor"
_ANCHOR = "anchor: the earliest that has a survey in the 90 days up to it"
_QUALIFIES = "counts: the follow-up window counts anew from it"
_TOO_FAR = "more than 365 days after the last qualifying treatment before it"

SURVEYS = [
    ("default", "odi 48 @-3d ev:it | T | odi 22 @+60d", _BASELINE),
    ("look-back 30", "odi 48 @-3d ev:it | T", "baseline: the latest survey in the 30 days up to the anchor"),
    ("default", "odi 60 @-30d ev:it | odi 48 @-3d | T", "counts: a later survey before the anchor is the baseline"),
    ("default", "odi 60 @-91d ev:it | odi 48 @-3d | T", "counts: more than 90 days before the anchor"),
    (
        "default",
        "odi 48 @-91d ev:it | T",
        "counts: no qualifying treatment follows within 90 days, so it is no baseline",
    ),
    ("default", "T | odi 22 @+60d ev:it", "counts: after the treatment, with no baseline of odi before it"),
    (
        "default",
        "odi 48 @-3d | T | odi/2.1 22 @+9d ev:it",
        "counts: after the treatment, with no baseline of odi 2.1 before it",
    ),
    (
        "default",
        "odi 48 @-3d ev:it | T 97161",
        "counts: no treatment qualifies, so there is nothing to be before or after",
    ),
    (
        "default",
        "odi 48 @-3d | T | odi 22 @+60d ev:it",
        "improved follow-up: 26 lower than the baseline's 48; lower is better",
    ),
    (
        "default",
        "lefs 30 @-3d | T | lefs 45 @+60d ev:it",
        "improved follow-up: 15 higher than the baseline's 30; higher is better",
    ),
    (
        "default",
        "odi 48 @-3d | T | odi 48 @+60d ev:it",
        "follow-up: the same as the baseline's 48, and so not improved",
    ),
    (
        "default",
        "odi 48 @-3d | T | odi 50 @+60d ev:it",
        "follow-up: 2 higher than the baseline's 48, but lower is better",
    ),
    (
        "points 3.5",
        "odi 48 @-3d | T | odi 45 @+60d ev:it",
        "follow-up: 3 lower than the baseline's 48, but 3.5 is needed",
    ),
    (
        "percent 30",
        "odi 50 @-3d | T | odi 40 @+60d ev:it",
        "follow-up: 10 lower than the baseline's 50, but 15 is needed",
    ),
    (
        "published",
        "audit 30 @-3d | T | audit 2 @+9d ev:it",
        "follow-up: 28 lower than the baseline's 30, but no change is published for audit that it could reach",
    ),
    ("default", "odi 48 @-3d | T | odi 22 @+366d ev:it", f"counts: outside the window: {_TOO_FAR}"),
    (
        "window 14-183",
        "odi 48 @-3d | T | odi 22 @+9d ev:it",
        "counts: outside the window: less than 14 days after the last qualifying treatment before it",
    ),
    ("default", "odi 48 @-3d proxy ev:it | T", "excluded: answered by the proxy, and the policy takes no such answers"),
    ("default", "odi - @-3d ev:it | T", "excluded: too many items are blank for a score"),
    ("odi only", "nprs 5 @-3d ev:it | T", "excluded: the policy does not take nprs"),
    ("default", "odi 48 @-3d void ev:it | T", "retracted: entered in error"),
]

TREATMENTS = [
    ("default", "odi 48 @-3d | T ev:it | odi 22 @+60d", _ANCHOR),
    ("default", "odi 48 @-3d | nprs 5 @+1d | T ev:it | T @+2d", _ANCHOR),
    ("default", "odi 48 @-3d | T | T @+9d ev:it", _QUALIFIES),
    ("default", "T ev:it | odi 48 @+9d | T @+20d", "counts: no survey lies in the 90 days up to it"),
    ("default", "T ev:it", "counts: no survey lies in the 90 days up to it"),
    ("default", "odi 48 @-3d | T 97161 ev:it", "excluded: the policy excludes HCPCS:97161-97168"),
    ("default", "T 0001F ev:it", "excluded: the policy excludes HCPCS:nnnnF"),
    ("default", "T SCT:91251008 ev:it", "excluded: SNOMED-CT:91251008 is not among the policy's qualifying codes"),
    ("default", "odi 48 @-3d | T void ev:it", "retracted: entered in error"),
]

VERSIONS = [
    ("default", "odi 50 @-3d #b ev:it | odi 48 @-3d #b v2 amended | T", "superseded: version 2 counts"),
    ("default", "odi 50 @-3d #b v2 amended | odi 48 @-3d #b ev:it | T", "superseded: version 2 counts"),
    ("default", "odi 50 @-3d #b ev:it | odi 50 @-3d #b v3 void | T", "superseded: version 3 counts"),
    ("default", "odi 48 @-3d #b ev:a | odi 48 @-3d #b ev:it | T", _BASELINE),
    ("default", "odi 48 @-3d #b ev:a v2 | odi 48 @-3d #b ev:it | T", "superseded: version 2 counts"),
    ("default", "odi 48 @-3d #b ev:zz | odi 48 @-3d #b ev:it | T", "superseded: event ev:zz of tablet says the same"),
    (
        "default",
        "odi 48 @-3d #b ev:it | odi 9 @-3d #b ev:a amended | T",
        "superseded: event ev:a of tablet says otherwise under this version, and counts",
    ),
]


@pytest.mark.parametrize(("policy", "episode", "expected"), [*SURVEYS, *TREATMENTS, *VERSIONS])
def test_part_of_a_fact(policy: str, episode: str, expected: str) -> None:
    """Each fact says what it is to the decision, and why, or why it is nothing."""
    facts = [fact for fact in explained(episode, POLICIES[policy]).facts if fact.fact.event_id == "ev:it"]

    assert [f"{fact.part.role or fact.part.standing}: {fact.part.why}" for fact in facts] == [expected]


def test_facts_stand_in_clinical_order() -> None:
    """By when they happened, however they came; at one instant a survey stands before the treatment it may precede."""
    told = explained("odi 22 @+60d ev:d | T ev:c | odi 48 @0d ev:b | odi 50 @-3d utc-5 ev:a")

    assert [fact.fact.event_id for fact in told.facts] == ["ev:a", "ev:b", "ev:c", "ev:d"]


def test_a_treatment_is_told_by_the_program_that_takes_it() -> None:
    """A treatment that only a program's rules admit is not called excluded."""
    rules = replace(DEFAULT.rules, excluded=POLICIES["veins"].programs[0].treatments)
    program = replace(POLICIES["veins"].programs[0], rules=DEFAULT.rules)
    told = explained("T 36475", replace(DEFAULT, rules=rules, programs=(program,)))

    assert told.facts[0].part.standing == "counts"
    assert told.sentence.startswith("No survey was answered")


# ---------------------------------------------------------------------------------------------
# What billing was told
# ---------------------------------------------------------------------------------------------
def test_an_agreeing_ledger_says_what_billing_holds() -> None:
    """A code, none any more, or none ever."""
    taken_back = "odi 48 @-3d | T | odi 22 @+60d #f | odi 22 @+60d #f v2 void"
    sentences = [explained(episode).agreement.sentence for episode in (STORY, taken_back, "T")]

    assert sentences == [
        "Billing holds what is decided now.",
        "Billing was told to take the code back, and holds none: as decided now.",
        "Billing was told nothing, and there is nothing to tell.",
    ]


NEWER = replace(DEFAULT, version="8")
STRICTER = replace(POLICIES["percent 30"], version="8")
_NEWER_CAUSE = "Billing was last told by policy test-default 7, and now it is test-default 8."
_UNSAID_CAUSE = "The worker did not decide by this {}: the policy changed since, or G9603_POLICY is not the worker's."
_NEXT = "The next new fact of the episode brings billing up to date."


@pytest.mark.parametrize(
    ("told_by", "now", "differs_in", "held", "cause"),
    [
        (
            DEFAULT,
            NEWER,
            ("policy",),
            "Billing holds G9603 with other content than is decided now (policy).",
            _NEWER_CAUSE,
        ),
        (
            DEFAULT,
            STRICTER,
            ("threshold", "policy"),
            "Billing holds G9603 with other content than is decided now (threshold, policy).",
            _NEWER_CAUSE,
        ),
        (
            DEFAULT,
            POLICIES["G9605 only"],
            (),
            "Billing holds G9603, but the episode is not coded by the policy as it is now.",
            _UNSAID_CAUSE.format("test-default 7"),
        ),
        (
            POLICIES["G9605 only"],
            NEWER,
            (),
            "Billing holds no code, but the episode earns G9603 by the policy as it is now.",
            _UNSAID_CAUSE.format("test-default 8"),
        ),
    ],
    ids=["another version", "another threshold", "no code any more", "a code now"],
)
def test_a_policy_that_changed_is_noticed(
    told_by: Policy, now: Policy, differs_in: tuple[str, ...], held: str, cause: str
) -> None:
    """Where billing holds something else than this policy decides, it is said what, why, and what brings it about."""
    agreement = explain_episode("episode", coded_after(facts_of(STORY), told_by), now).agreement

    assert not agreement.agrees
    assert agreement.differs_in == differs_in
    assert agreement.sentence == f"{held} {cause} {_NEXT}"


def test_every_coding_event_is_told() -> None:
    """The events are those of the ledger, in the words of the contract."""
    told = explained("odi 48 @-3d | T | odi 22 @+60d #f | odi 20 @+60d #f v2 amended | odi 20 @+60d #f v3 void")

    assert [(event["revision"], event["action"], event["change"]) for event in told.events] == [
        (1, "new", "-26"),
        (2, "replace", "-28"),
        (3, "void", "-28"),
    ]


# ---------------------------------------------------------------------------------------------
# Warnings
# ---------------------------------------------------------------------------------------------
def warnings(*facts: Fact) -> list[str]:
    """The first words of each warning."""
    told = explain_episode("episode", coded_after(list(facts)), DEFAULT)
    return [re.split(r"[:,] ", warning)[0] for warning in told.warnings]


def test_two_patients_in_one_episode_are_a_warning() -> None:
    """Until the one that does not belong there is corrected away."""
    first, treatment, other = facts_of("odi 48 @-3d | T | odi 22 @+60d #f")
    other = with_fields(other, patient_id="patient-2")
    (retraction,) = facts_of("odi 22 @+60d #f v2 void ev:r")

    assert warnings(first, treatment, other) == ["The facts name 2 patients (patient-1"]
    assert warnings(first, treatment, other, with_fields(retraction, patient_id="patient-2")) == []


def test_one_event_with_two_contents_is_a_warning() -> None:
    """The content that counts is marked, and the sender is named."""
    facts = facts_of("odi 48 @-3d ev:1 | odi 40 @-3d ev:1 #b | T")
    told = explain_episode("episode", coded_after(facts), DEFAULT)

    assert warnings(*facts) == ["Event ev:1 of tablet came with two contents"]
    assert [fact.contested for fact in told.facts] == [True, False]


def test_one_version_with_two_contents_is_a_warning() -> None:
    """But not one that is sent again unchanged, in an event of its own."""
    assert warnings(*facts_of("odi 48 @-3d #b | odi 40 @-3d #b | T")) == ["Version 1 of #b was sent with two contents"]
    assert warnings(*facts_of("odi 48 @-3d #b | odi 48 @-3d #b | T")) == []


# ---------------------------------------------------------------------------------------------
# All of it
# ---------------------------------------------------------------------------------------------
@settings(max_examples=100, deadline=None)
@given(arrivals(), policies())
def test_every_episode_can_be_explained(arrived: list[Arrival], policy: Policy) -> None:
    """Each fact once, the decision that is made, a ledger that agrees with it, and all of it as JSON."""
    coded = advance(CodedEpisode(), arrived, episode_id="episode", policy=policy).after
    told = explain_episode("episode", coded, policy)
    document = orjson.loads(orjson.dumps(told.as_json()))

    assert sorted((fact.fact.source, fact.fact.event_id) for fact in told.facts) == [
        (fact.source, fact.event_id) for fact in coded.episode.facts
    ]
    assert told.decision == decide(coded.episode.facts, policy)
    assert told.agreement.agrees
    assert document["coding_events"] == orjson.loads(orjson.dumps(list(coded.ledger.events("episode"))))
    assert (document["decision"]["code"] is None) == (document["decision"]["missing"] is not None)


@settings(max_examples=100, deadline=None)
@given(arrivals(), policies())
def test_the_parts_are_those_of_the_findings(arrived: list[Arrival], policy: Policy) -> None:
    """Baselines, anchors and follow-ups are told of just the facts that the findings hold as such."""
    coded = CodedEpisode(Episode().with_arrivals(arrived))
    told = explain_episode("episode", coded, policy)
    findings = [explained.finding for explained in told.findings]
    compared = [comparison for finding in findings for comparison in finding.comparisons]
    by_role: dict[str, set[Fact]] = {
        "baseline": {finding.baseline for finding in findings if finding.baseline is not None},
        "anchor": {finding.anchor for finding in findings if finding.anchor is not None},
        "follow-up": {comparison.follow_up for comparison in compared if not comparison.improved},
        "improved follow-up": {comparison.follow_up for comparison in compared if comparison.improved},
    }

    assert {role: {f.fact for f in told.facts if f.part.role == role} for role in by_role} == by_role


def test_the_low_back_pain_story_as_json() -> None:
    """The shape that scripts rely on: a field may be added, and none renamed or changed."""
    story = generate(seed=9603, episodes=1)
    decoder, facts = Decoder(INSTRUMENTS), []
    for record in story.records:
        decode = decoder.decode_survey if record.topic == "survey-completed" else decoder.decode_treatment
        facts.append(decode(record.value, record.headers).fact)
    told = explain_episode(story.first_episode_id, coded_after(facts), DEFAULT)

    assert orjson.loads(orjson.dumps(told.as_json())) == json.loads(GOLDEN.read_text())
