"""What an episode is coded with, and if with nothing, why: the meaning of the rules, case by case.

The notation is explained in ``tests/episode_notation.py``; a policy's name in ``tests/policies_for_tests.py``.
"""

import pytest

from streams.domain.decision import decide
from streams.domain.missing import Reason
from tests.episode_notation import facts_of, outcome, reached
from tests.policies_for_tests import POLICIES

TREATMENTS = [
    ("nothing is known", "", "treatment: no_treatment"),
    ("a survey alone", "odi 48 @-3d", "treatment: no_treatment"),
    ("surveys about no treatment", "odi 48 @-3d | odi 22 @+60d", "treatment: no_treatment"),
    ("the treatment was an error", "odi 48 @-3d | T void | odi 22 @+60d", "treatment: entered_in_error"),
    ("an error alone", "T void", "treatment: entered_in_error"),
    ("an evaluation alone", "T 97161", "treatment: treatment_not_qualifying"),
    ("first evaluation code", "odi 48 @-3d | T 97161 | odi 22 @+60d", "treatment: treatment_not_qualifying"),
    ("last evaluation code", "odi 48 @-3d | T 97168 | odi 22 @+60d", "treatment: treatment_not_qualifying"),
    ("one beyond the evaluations", "odi 48 @-3d | T 97169 | odi 22 @+60d", "G9603 odi 48→22 by 97169"),
    ("category II", "odi 48 @-3d | T 0001F | odi 22 @+60d", "treatment: treatment_not_qualifying"),
    ("category III", "odi 48 @-3d | T 0001T | odi 22 @+60d", "G9603 odi 48→22 by 0001T"),
    ("HCPCS Level II", "odi 48 @-3d | T J1030 | odi 22 @+60d", "G9603 odi 48→22 by J1030"),
    ("our own code come back", "odi 48 @-3d | T G9603 | odi 22 @+60d", "treatment: treatment_not_qualifying"),
    ("its neighbour, in lower case", "odi 48 @-3d | T g9605 | odi 22 @+60d", "treatment: treatment_not_qualifying"),
    ("another G code", "odi 48 @-3d | T G0283 | odi 22 @+60d", "G9603 odi 48→22 by G0283"),
    ("no code of that form", "odi 48 @-3d | T THERAPY | odi 22 @+60d", "treatment: treatment_not_qualifying"),
    ("SNOMED CT", "odi 48 @-3d | T SCT:91251008 | odi 22 @+60d", "treatment: treatment_not_qualifying"),
    ("a good one beside it", "odi 48 @-3d | T 97161 @-2d | T | odi 22 @+60d", "G9603 odi 48→22"),
]

BASELINES = [
    ("the whole story", "odi 48 @-3d | T | odi 22 @+60d", "G9603 odi 48→22"),
    ("no survey at all", "T", "baseline: no_baseline"),
    ("surveys after it only", "T | odi 48 @+1d | odi 22 @+60d", "baseline: no_baseline"),
    ("90 days before", "odi 48 @-90d | T | odi 22 @+60d", "G9603 odi 48→22"),
    ("a microsecond more", "odi 48 @-90d-1us | T | odi 22 @+60d", "baseline: baseline_outside_look_back"),
    ("equal instant is before", "odi 48 @0d | T | odi 22 @+60d", "G9603 odi 48→22"),
    ("a microsecond after", "odi 48 @0d+1us | T | odi 22 @+60d", "baseline: no_baseline"),
    ("equal in other offsets", "odi 48 @0d utc-5 | T utc+9 | odi 22 @+60d", "G9603 odi 48→22"),
    ("the latest of two", "odi 48 @-60d | odi 40 @-3d | T | odi 30 @+60d", "G9603 odi 40→30"),
    ("not the worst", "odi 48 @-60d | odi 20 @-3d | T | odi 30 @+60d", "improvement: not_improved"),
    ("two at once, greater id", "odi 48 @-3d #a | odi 40 @-3d #b | T | odi 22 @+9d", "G9603 odi 40→22"),
    ("a proxy's", "odi 48 @-3d proxy | T | odi 22 @+60d", "baseline: proxy_excluded"),
    ("too few answers", "odi - @-3d | T | odi 22 @+60d", "baseline: incomplete"),
    ("an error", "odi 48 @-3d void | T | odi 22 @+60d", "baseline: entered_in_error"),
    ("a void proxy with blanks", "odi - @-3d void proxy | T", "baseline: entered_in_error"),
    ("a proxy with blanks", "odi - @-3d proxy | T", "baseline: incomplete"),
    ("too early and a proxy's", "odi 48 @-91d proxy | T | odi 22 @+60d", "baseline: no_baseline"),
    ("blanks at the equal instant", "odi - @0d | T", "baseline: incomplete"),
    ("blanks 90 days before", "odi - @-90d | T", "baseline: incomplete"),
    ("blanks, a microsecond more", "odi - @-90d-1us | T", "baseline: no_baseline"),
    ("an older one serves", "odi 48 @-30d | odi 9 @-3d proxy | T | odi 22 @+9d", "G9603 odi 48→22"),
]

ANCHORS = [
    ("the earlier of two", "odi 48 @-3d | T | T 97140 @+9d | odi 22 @+60d", "G9603 odi 48→22"),
    ("one with a baseline", "T | odi 48 @+9d | T 97140 @+20d | odi 22 @+60d", "G9603 odi 48→22 by 97140"),
    (
        "one whose baseline is not too old",
        "odi 60 @-91d | T | odi 48 @+9d | T 97140 @+20d | odi 22 @+60d",
        "G9603 odi 48→22 by 97140",
    ),
    (
        "a later survey is no baseline of the first",
        "odi 48 @-3d | T | odi 50 @+9d | T 97140 @+20d | odi 49 @+60d",
        "improvement: not_improved",
    ),
    ("two at once, lesser id", "odi 48 @-3d | T 97140 #b | T #a | odi 22 @+9d", "G9603 odi 48→22"),
    ("an error is passed over", "odi 48 @-3d | T void | T 97140 @+9d | odi 22 @+60d", "G9603 odi 48→22 by 97140"),
    (
        "each scale has its own",
        "odi 48 @-3d | T | nprs 8 @+9d | T 97140 @+20d | nprs 3 @+60d",
        "G9603 nprs 8→3 by 97140",
    ),
]

FOLLOW_UPS = [
    ("none", "odi 48 @-3d | T", "follow-up: no_follow_up"),
    ("the day before only", "odi 48 @-3d | odi 22 @-1d | T", "follow-up: no_follow_up"),
    ("equal instant is before", "odi 48 @-3d | T | odi 22 @0d", "follow-up: no_follow_up"),
    ("a microsecond after", "odi 48 @-3d | T | odi 22 @0d+1us", "G9603 odi 48→22"),
    ("365 days after", "odi 48 @-3d | T | odi 22 @+365d", "G9603 odi 48→22"),
    ("a microsecond more", "odi 48 @-3d | T | odi 22 @+365d+1us", "follow-up: follow_up_outside_window"),
    ("another treatment moves it", "odi 48 @-3d | T | T 97140 @+200d | odi 22 @+500d", "G9603 odi 48→22"),
    (
        "one at that instant does not",
        "odi 48 @-3d | T | T 97140 @+366d | odi 22 @+366d",
        "follow-up: follow_up_outside_window",
    ),
    ("nor does a later one", "odi 48 @-3d | T | odi 22 @+366d | T 97140 @+367d", "follow-up: follow_up_outside_window"),
    ("nor an evaluation", "odi 48 @-3d | T | T 97164 @+200d | odi 22 @+500d", "follow-up: follow_up_outside_window"),
    ("nor an error", "odi 48 @-3d | T | T 97140 @+200d void | odi 22 @+500d", "follow-up: follow_up_outside_window"),
    ("a proxy's", "odi 48 @-3d | T | odi 22 @+60d proxy", "follow-up: proxy_excluded"),
    ("too few answers", "odi 48 @-3d | T | odi - @+60d", "follow-up: incomplete"),
    ("an error", "odi 48 @-3d | T | odi 22 @+60d void", "follow-up: entered_in_error"),
    ("another version", "odi/2.0 48 @-3d | T | odi/2.1 22 @+60d", "follow-up: version_mismatch"),
    ("a version and none", "odi 48 @-3d | T | odi/2.1 22 @+60d", "follow-up: version_mismatch"),
    ("another version, by a proxy", "odi 48 @-3d | T | odi/2.1 22 @+60d proxy", "follow-up: no_follow_up"),
    ("another instrument", "odi 48 @-3d | T | nprs 2 @+60d", "follow-up: no_follow_up"),
    ("versions apart", "odi 10 @-3d | odi/2.1 48 @-2d | T | odi 12 @+9d | odi/2.1 22 @+9d", "G9603 odi/2.1 48→22"),
    ("too late and a proxy's", "odi 48 @-3d | T | odi 22 @+366d proxy", "follow-up: no_follow_up"),
]

IMPROVEMENTS = [
    ("unchanged", "odi 48 @-3d | T | odi 48 @+60d", "improvement: not_improved"),
    ("worse", "odi 48 @-3d | T | odi 49 @+60d", "improvement: not_improved"),
    ("the least there is", "odi 48 @-3d | T | odi 47.999999999999 @+60d", "G9603 odi 48→47.999999999999"),
    ("more is better", "lefs 30 @-3d | T | lefs 45 @+60d", "G9603 lefs 30→45"),
    ("less is worse", "lefs 45 @-3d | T | lefs 30 @+60d", "improvement: not_improved"),
    ("below zero", "eq5d5l_us -0.2 @-3d | T | eq5d5l_us -0.1 @+60d", "G9603 eq5d5l_us -0.2→-0.1"),
    ("the earliest", "odi 48 @-3d | T | odi 40 @+30d | odi 22 @+60d", "G9603 odi 48→40"),
    ("the earliest improved", "odi 48 @-3d | T | odi 50 @+30d | odi 22 @+60d", "G9603 odi 48→22"),
    ("better, then worse", "odi 48 @-3d | T | odi 40 @+30d | odi 60 @+60d", "G9603 odi 48→40"),
    ("two at once, lesser id", "odi 48 @-3d | T | odi 30 @+9d #b | odi 40 @+9d #a", "G9603 odi 48→40"),
]

CORRECTIONS = [
    (
        "an amended baseline",
        "odi 48 @-3d #b | odi 20 @-3d #b v2 amended | T | odi 22 @+60d",
        "improvement: not_improved",
    ),
    ("an amended follow-up", "odi 48 @-3d | T | odi 50 @+60d #f | odi 22 @+60d #f v2 amended", "G9603 odi 48→22"),
    ("the higher version came first", "odi 48 @-3d | T | odi 22 @+60d #f v2 | odi 50 @+60d #f", "G9603 odi 48→22"),
    ("an amended time", "odi 48 @-3d | T | odi 22 @-1d #f | odi 22 @+60d #f v2 amended", "G9603 odi 48→22"),
    ("a void follow-up", "odi 48 @-3d | T | odi 22 @+60d #f | odi 22 @+60d #f v2 void", "follow-up: entered_in_error"),
    (
        "the next one steps in",
        "odi 48 @-3d | T | odi 22 @+9d #f | odi 22 @+9d #f v2 void | odi 30 @+60d",
        "G9603 odi 48→30",
    ),
    (
        "void, and reinstated",
        "odi 48 @-3d | T | odi 22 @+60d #f v2 void | odi 24 @+60d #f v3 amended",
        "G9603 odi 48→24",
    ),
    ("a void treatment", "odi 48 @-3d | T #t | T #t v2 void | odi 22 @+60d", "treatment: entered_in_error"),
    ("an amended treatment", "odi 48 @-3d | T 97161 #t | T #t v2 amended | odi 22 @+60d", "G9603 odi 48→22"),
    (
        "one version, void outranks",
        "odi 48 @-3d | T | odi 22 @+60d #f void | odi 22 @+60d #f amended",
        "follow-up: entered_in_error",
    ),
    ("one version, amended outranks", "odi 48 @-3d | T | odi 50 @+60d #f | odi 22 @+60d #f amended", "G9603 odi 48→22"),
    (
        "an amended proxy",
        "odi 48 @-3d | T | odi 22 @+60d #f | odi 22 @+60d #f v2 amended proxy",
        "follow-up: proxy_excluded",
    ),
    (
        "said twice",
        "odi 48 @-3d ev:1 | odi 48 @-3d ev:1 | T | odi 22 @+60d ev:2 | odi 22 @+60d ev:2",
        "G9603 odi 48→22",
    ),
]

SEVERAL_INSTRUMENTS = [
    ("one better, one worse", "odi 48 @-3d | nprs 5 @-3d | T | odi 60 @+9d | nprs 3 @+9d", "G9603 nprs 5→3"),
    ("the earlier counts", "odi 48 @-3d | nprs 5 @-3d | T | odi 22 @+10d | nprs 3 @+9d", "G9603 nprs 5→3"),
    ("at once, by order", "nprs 5 @-3d | odi 48 @-3d | T | nprs 3 @+9d | odi 22 @+9d", "G9603 odi 48→22"),
    ("at once, no version first", "odi/1 48 @-3d | odi 40 @-3d | T | odi/1 22 @+9d | odi 30 @+9d", "G9603 odi 40→30"),
    ("the furthest tells why", "odi 48 @-3d | nprs 5 @+1d | T | odi 50 @+9d", "improvement: not_improved"),
    ("of equals the first tells why", "nprs 5 @-3d proxy | odi - @-3d | T", "baseline: incomplete"),
]

UNDER_OTHER_POLICIES = [
    ("odi only", "not in the policy", "nprs 5 @-3d | T | nprs 3 @+60d", "survey: instrument_not_in_policy"),
    ("odi only", "one of two is", "nprs 5 @-3d | odi 48 @-3d | T | nprs 3 @+9d | odi 22 @+60d", "G9603 odi 48→22"),
    ("proxies too", "a proxy's pair", "odi 48 @-3d proxy | T | odi 22 @+60d", "G9603 odi 48→22"),
    ("look-back 30", "30 days", "odi 48 @-30d | T | odi 22 @+60d", "G9603 odi 48→22"),
    ("look-back 30", "a microsecond more", "odi 48 @-30d-1us | T", "baseline: baseline_outside_look_back"),
    (
        "window 14-183",
        "a microsecond early",
        "odi 48 @-3d | T | odi 22 @+14d-1us",
        "follow-up: follow_up_outside_window",
    ),
    ("window 14-183", "it opens", "odi 48 @-3d | T | odi 22 @+14d", "G9603 odi 48→22"),
    ("window 14-183", "it closes", "odi 48 @-3d | T | odi 22 @+183d", "G9603 odi 48→22"),
    ("window 14-183", "it has closed", "odi 48 @-3d | T | odi 22 @+183d+1us", "follow-up: follow_up_outside_window"),
    (
        "window 14-183",
        "opened anew",
        "odi 48 @-3d | T | T 97140 @+50d | odi 22 @+60d",
        "follow-up: follow_up_outside_window",
    ),
    ("points 3.5", "met at equality", "odi 48 @-3d | T | odi 44.5 @+60d", "G9603 odi 48→44.5"),
    ("points 3.5", "3.4999", "odi 48 @-3d | T | odi 44.5001 @+60d", "improvement: not_improved"),
    ("points 3.5", "the wrong way", "odi 48 @-3d | T | odi 60 @+60d", "improvement: not_improved"),
    ("percent 30", "met at equality", "odi 50 @-3d | T | odi 35 @+60d", "G9603 odi 50→35"),
    ("percent 30", "short of it", "odi 50 @-3d | T | odi 35.0001 @+60d", "improvement: not_improved"),
    ("percent 30", "of zero", "lefs 0 @-3d | T | lefs 1 @+60d", "G9603 lefs 0→1"),
    ("percent 30", "of zero, unchanged", "lefs 0 @-3d | T | lefs 0 @+60d", "improvement: not_improved"),
    ("percent 30", "of less than zero", "eq5d5l_us -0.5 @-3d | T | eq5d5l_us -0.351 @+9d", "improvement: not_improved"),
    ("published", "its points", "odi 48 @-3d | T | odi 38 @+60d", "G9603 odi 48→38"),
    ("published", "points before percent", "odi 20 @-3d | T | odi 13 @+60d", "improvement: not_improved"),
    ("published", "none is published", "audit 30 @-3d | T | audit 2 @+60d", "improvement: not_improved"),
    ("published, G9605", "none is published", "audit 30 @-3d | T | audit 2 @+60d", "G9605 audit 30→2"),
    ("any, G9605", "unchanged", "odi 48 @-3d | T | odi 48 @+60d", "G9605 odi 48→48"),
    ("any, G9605", "at the latest", "odi 48 @-3d | T | odi 50 @+9d | odi 49 @+60d", "G9605 odi 48→49"),
    ("any, G9605", "improved once", "odi 48 @-3d | T | odi 47 @+9d | odi 49 @+60d", "G9603 odi 48→47"),
    ("any, G9605", "no follow-up", "odi 48 @-3d | T", "follow-up: no_follow_up"),
    ("G9605 only", "improved", "odi 48 @-3d | T | odi 22 @+60d", "improvement: code_not_published"),
    ("lefs first", "at once", "odi 48 @-3d | lefs 30 @-3d | T | odi 22 @+9d | lefs 45 @+9d", "G9603 lefs 30→45"),
    ("lefs first", "later", "odi 48 @-3d | lefs 30 @-3d | T | odi 22 @+9d | lefs 45 @+10d", "G9603 odi 48→22"),
    ("lefs first, G9605", "at once", "odi 48 @-3d | lefs 30 @-3d | T | odi 49 @+9d | lefs 29 @+9d", "G9605 lefs 30→29"),
    ("SNOMED CT too", "the code listed", "odi 48 @-3d | T SCT:91251008 | odi 22 @+60d", "G9603 odi 48→22 by 91251008"),
    ("SNOMED CT too", "another", "odi 48 @-3d | T SCT:91251009 | odi 22 @+60d", "treatment: treatment_not_qualifying"),
    ("veins", "the program's window", "avvq 40 @-3d | T 36475 | avvq 20 @+89d", "follow-up: follow_up_outside_window"),
    ("veins", "in it", "avvq 40 @-3d | T 36475 | avvq 20 @+90d", "G9603 avvq 40→20 by 36475"),
    ("veins", "the program's threshold", "avvq 40 @-3d | T 36475 | avvq 35.1 @+90d", "improvement: not_improved"),
    ("veins", "another instrument", "odi 48 @-3d | T 36475 | odi 47 @+9d", "G9603 odi 48→47 by 36475"),
    ("veins", "another treatment", "avvq 40 @-3d | T | avvq 39 @+9d", "G9603 avvq 40→39"),
    ("veins", "its treatment was an error", "avvq 40 @-3d | T | T 36475 void | avvq 39 @+9d", "G9603 avvq 40→39"),
]

BY_INSTRUMENT = [
    (
        "each says how far it came",
        "odi 48 @-3d | nprs 5 @-3d | lefs 30 @+1d | T | odi 50 @+9d",
        ["odi improvement: not_improved", "nprs follow-up: no_follow_up", "lefs baseline: no_baseline"],
    ),
    (
        "a baseline on another version",
        "odi 48 @-3d | T | odi/2.1 22 @+60d",
        ["odi follow-up: version_mismatch", "odi/2.1 baseline: version_mismatch"],
    ),
    (
        "improved beside a retracted one",
        "odi 48 @-3d | T | odi 22 @+9d | nprs 5 @-3d void",
        ["odi improved", "nprs baseline: entered_in_error"],
    ),
]

BY_DEFAULT = {
    "treatment": TREATMENTS,
    "baseline": BASELINES,
    "anchor": ANCHORS,
    "follow-up": FOLLOW_UPS,
    "improvement": IMPROVEMENTS,
    "correction": CORRECTIONS,
    "instruments": SEVERAL_INSTRUMENTS,
}
EVERY_CASE = [(f"{table}: {case}", "default", *row) for table, rows in BY_DEFAULT.items() for case, *row in rows] + [
    (f"{policy}: {case}", policy, *row) for policy, case, *row in UNDER_OTHER_POLICIES
]


@pytest.mark.parametrize(
    ("policy", "episode", "expected"), [row[1:] for row in EVERY_CASE], ids=[row[0] for row in EVERY_CASE]
)
def test_outcome(policy: str, episode: str, expected: str) -> None:
    assert outcome(decide(facts_of(episode), POLICIES[policy])) == expected


@pytest.mark.parametrize(("case", "episode", "expected"), BY_INSTRUMENT)
def test_by_instrument(case: str, episode: str, expected: list[str]) -> None:
    decision = decide(facts_of(episode), POLICIES["default"])
    assert [reached(finding) for finding in decision.findings] == expected, case


@pytest.mark.parametrize("reason", Reason)
def test_every_reason_is_in_the_table(reason: Reason) -> None:
    """No reason is given that no case here gives."""
    assert any(row[-1].endswith(f": {reason}") for row in EVERY_CASE)
