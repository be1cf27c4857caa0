"""What is missing for a code, and what would change that, in the words that a person reads: case by case.

The notation of the episodes is explained in ``tests/episode_notation.py``; a policy's name in
``tests/policies_for_tests.py``.
"""

import pytest

from streams.domain.coder import CodedEpisode
from streams.domain.decision import Coded, NotCoded
from streams.domain.episode import Arrival, Episode
from streams.domain.missing import Reason
from streams.explanation.episode import EpisodeExplanation, explain_episode
from streams.explanation.sentences import SENTENCES
from tests.episode_notation import facts_of
from tests.policies_for_tests import POLICIES


def explained(episode: str, policy: str = "default") -> EpisodeExplanation:
    """The explanation of the episode in the line *episode*, by the policy of that name."""
    known = Episode().with_arrivals(Arrival(fact, 0) for fact in facts_of(episode))
    return explain_episode("episode", CodedEpisode(known), POLICIES[policy])


_LATE = "one that is sent late still counts."
_WINDOW = "within 365 days after the last qualifying treatment before it"
_BEFORE = "At the right time for a baseline (at most 90 days before a qualifying treatment)"
_AFTER = f"At the right time for a follow-up ({_WINDOW})"
_OTHER_VERSION = (
    "odi was answered in another version, and only equal versions are compared: a survey of odi{} is needed."
)
_PROXY = "odi was answered by somebody whose answers the policy does not take: it takes those of the patient."
_INCOMPLETE = (
    "odi was answered with too many items left blank for a score: a corrected version with more answers would count."
)
_VOID = (
    "odi was answered, but taken back (entered in error, or moved to another episode): a corrected version of it, "
    "or another survey, would count."
)

MISSING = [
    (
        "odi only",
        "nprs 5 @-3d | T",
        "survey: instrument_not_in_policy",
        "The policy does not take nprs: its surveys count once it is among the policy's instruments.",
    ),
    (
        "default",
        "odi 48 @-3d",
        "treatment: no_treatment",
        "No treatment is known: a qualifying one is needed, and it counts however late it is sent.",
    ),
    (
        "default",
        "odi 48 @-3d | T 97161",
        "treatment: treatment_not_qualifying",
        (
            "No treatment has a code that qualifies: it must be among HCPCS:*, and not among "
            "HCPCS:97161-97168, HCPCS:nnnnF, HCPCS:G9603-G9605."
        ),
    ),
    (
        "default",
        "odi 48 @-3d | T void",
        "treatment: entered_in_error",
        (
            "Every treatment was taken back (entered in error, or moved to another episode): a corrected version of "
            "one, or another treatment, is needed."
        ),
    ),
    (
        "default",
        "T",
        "baseline: no_baseline",
        f"No survey was answered at or before a qualifying treatment, within 90 days: {_LATE}",
    ),
    (
        "look-back 30",
        "T | odi/2.1 48 @+9d",
        "baseline: no_baseline",
        f"No survey of odi 2.1 was answered at or before a qualifying treatment, within 30 days: {_LATE}",
    ),
    (
        "default",
        "odi 48 @-91d | T",
        "baseline: baseline_outside_look_back",
        (
            "The survey of odi before a qualifying treatment was answered more than 90 days before it: "
            "a baseline must be nearer."
        ),
    ),
    (
        "default",
        "T | odi 22 @+9d | odi/2.1 48 @-3d",
        "baseline: version_mismatch",
        f"{_BEFORE}, {_OTHER_VERSION.format('')}",
    ),
    ("default", "odi 48 @-3d proxy | T", "baseline: proxy_excluded", f"{_BEFORE}, {_PROXY}"),
    ("default", "odi - @-3d | T", "baseline: incomplete", f"{_BEFORE}, {_INCOMPLETE}"),
    ("default", "odi 48 @-3d void | T", "baseline: entered_in_error", f"{_BEFORE}, {_VOID}"),
    (
        "default",
        "odi 48 @-3d | T",
        "follow-up: no_follow_up",
        (
            "No survey of odi was answered after the anchor treatment: "
            f"one that is answered {_WINDOW} would be a follow-up."
        ),
    ),
    (
        "window 14-183",
        "odi 48 @-3d | T | odi 22 @+9d",
        "follow-up: follow_up_outside_window",
        (
            "No survey of odi after the anchor treatment lies in the window: a follow-up is answered "
            "from 14 to 183 days after the last qualifying treatment before it."
        ),
    ),
    (
        "default",
        "odi/2.1 48 @-3d | T | odi 22 @+9d",
        "follow-up: version_mismatch",
        f"{_AFTER}, {_OTHER_VERSION.format(' 2.1')}",
    ),
    ("default", "odi 48 @-3d | T | odi 22 @+9d proxy", "follow-up: proxy_excluded", f"{_AFTER}, {_PROXY}"),
    ("default", "odi 48 @-3d | T | odi - @+9d", "follow-up: incomplete", f"{_AFTER}, {_INCOMPLETE}"),
    ("default", "odi 48 @-3d | T | odi 22 @+9d void", "follow-up: entered_in_error", f"{_AFTER}, {_VOID}"),
    (
        "default",
        "lefs 48 @-3d | T | lefs 22 @+9d",
        "improvement: not_improved",
        "No follow-up on lefs is improved: an improved score is higher than the baseline's, by any amount.",
    ),
    (
        "points 3.5",
        "odi 48 @-3d | T | odi 47 @+9d",
        "improvement: not_improved",
        "No follow-up on odi is improved: an improved score is lower than the baseline's by 3.5 or more.",
    ),
    (
        "percent 30",
        "odi 48 @-3d | T | odi 47 @+9d",
        "improvement: not_improved",
        "No follow-up on odi is improved: an improved score is lower than the baseline's by 30 % of it or more.",
    ),
    (
        "published",
        "odi 48 @-3d | T | odi 47 @+9d",
        "improvement: not_improved",
        "No follow-up on odi is improved: an improved score is lower than the baseline's by the published 10 or more.",
    ),
    (
        "published",
        "audit 30 @-3d | T | audit 2 @+9d",
        "improvement: not_improved",
        (
            "No follow-up on audit is improved: the policy asks for the published change, "
            "and the registry has none for this instrument."
        ),
    ),
    (
        "G9605 only",
        "odi 48 @-3d | T | odi 22 @+60d",
        "improvement: code_not_published",
        "The episode earns G9603, but the policy publishes only G9605.",
    ),
]


@pytest.mark.parametrize(("policy", "episode", "missing", "sentence"), MISSING)
def test_what_is_missing(policy: str, episode: str, missing: str, sentence: str) -> None:
    """The sentence says what is missing and what would change that, with the rules' own numbers."""
    told = explained(episode, policy)
    lacking = [(told.decision.missing, told.sentence)] if isinstance(told.decision, NotCoded) else []
    lacking += [(f.finding.missing, f.sentence) for f in told.findings if f.finding.missing is not None]

    assert (missing, sentence) in [(f"{what.stage}: {what.reason}", why) for what, why in lacking]


def test_every_sentence_is_in_the_table() -> None:
    """There is a case for each sentence, and a sentence for each reason."""
    assert {f"{missing.stage}: {missing.reason}" for missing in SENTENCES} == {row[2] for row in MISSING}
    assert {missing.reason for missing in SENTENCES} == set(Reason)


def test_the_episode_lacks_what_its_furthest_instrument_lacks() -> None:
    """Of several instruments the sentence is about the one that came furthest."""
    told = explained("odi 48 @+1d | nprs 5 @-3d | T | nprs 6 @+9d")

    assert told.sentence == told.findings[1].sentence
    assert told.sentence.startswith("No follow-up on nprs is improved")


@pytest.mark.parametrize(
    ("policy", "episode", "sentence"),
    [
        (
            "default",
            "odi 48 @-3d | T | odi 22 @+60d",
            "The follow-up on odi scored 22: 26 lower than the baseline's 48; lower is better.",
        ),
        (
            "any, G9605",
            "odi 48 @-3d | T | odi 50 @+9d",
            "The follow-up on odi scored 50: 2 higher than the baseline's 48, but lower is better.",
        ),
    ],
)
def test_what_the_code_rests_on(policy: str, episode: str, sentence: str) -> None:
    """A coded episode says which follow-up was compared, and how it came out."""
    told = explained(episode, policy)

    assert isinstance(told.decision, Coded)
    assert told.sentence == sentence
