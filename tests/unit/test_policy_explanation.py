"""What is said about a policy, and what is warned of."""

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.domain.instrument import PublishedChange
from streams.domain.policy import Policy
from streams.instruments.registry import load_registry
from streams.policies.explanation import explain_policy
from streams.policies.policy_loading import load_policy, parse_policy
from streams.policies.policy_warnings import policy_warnings
from tests.policy_documents import Document, policy_documents, policy_text

REGISTRY = load_registry()
HEAD = 'id = "p"\nversion = "1"\n'
PAYER = '[[payers]]\nid = "a"\nname = "Alpha"\nmatches = ["AL"]\nchannel = "claim"\n'
PROGRAM = '[[programs]]\nid = "{}"\napplies_to = {{ {} }}\n'
ODI_AFTER_97110 = PROGRAM.format("q", 'instruments = ["odi"], treatments = ["HCPCS:97110"]')


def parsed(text: str) -> Policy:
    return parse_policy(text, REGISTRY, name="the test's policy")


def explained(text: str) -> list[str]:
    return explain_policy(parsed(HEAD + text))


def warned(text: str) -> list[str]:
    return policy_warnings(parsed(f"{HEAD}{text}\n{PAYER}"))


def test_the_built_in_policy_is_explained() -> None:
    """The built-in policy in sentences, one after the other, without a warning."""
    every_instrument = ", ".join(REGISTRY)

    explanation = explain_policy(load_policy(None, REGISTRY))

    assert [*explanation[:9], *explanation[12:]] == [
        (
            "Policy default, version 1. Any improvement on any known instrument, as the patient tells it, "
            "within a year after any treatment."
        ),
        (
            "Published, at most one for an episode: G9603 at the earliest follow-up that improved; not published: "
            "G9605 at the latest follow-up where none improved and G9604 where no follow-up came."
        ),
        (
            "Baseline: the latest valid survey (complete, and not entered in error) at or before the anchor, "
            "at most 90 days before it; the anchor is the earliest qualifying treatment that has one."
        ),
        ("Follow-up: a valid survey after the anchor, 0 to 365 days after the last qualifying treatment before it."),
        "Improved: any change for the better, however small; an unchanged score is not improved.",
        "Respondents: surveys count that the patient answered, not a proxy.",
        (
            "Treatments: a follow-up counts after any CPT or HCPCS code, but not after CPT or HCPCS "
            "97161 to 97168, nnnnF (n is any digit) or G9603 to G9605."
        ),
        f"Instruments: {every_instrument}.",
        (
            "Comparison: only surveys on the same instrument in the same version are compared; where follow-ups "
            "on two instruments tie, the instrument named first counts."
        ),
        (
            "Payer UnitedHealthcare (payer_id 87726, uhc, united health care, united healthcare, united healthcare "
            "insurance company, unitedhealthcare): the code goes on a claim line, charge 0.00 USD, without "
            "modifiers; what is decided more than 90 days after the service date is flagged as past the filing limit."
        ),
        (
            "Payer Medicare (payer_id cms, medicare, medicare ffs, medicare part b, original medicare): the code "
            "goes to the registry, and on no claim, charge 0.00 USD, without modifiers; what is decided more than 365 "
            "days after the service date is flagged as past the filing limit."
        ),
        (
            "Any other payer, or none known: the code is held until a person decides, charge 0.00 USD, "
            "without modifiers."
        ),
    ]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        pytest.param(
            'published_codes = ["G9603", "G9605"]',
            "G9603 at the earliest follow-up that improved and G9605 at the latest follow-up where none improved; "
            "not published: G9604 where no follow-up came.",
            id="both-codes",
        ),
        pytest.param("baseline.look_back_days = 7", "at most 7 days before it", id="look-back"),
        pytest.param("follow_up = { from_days = 14, to_days = 40 }", "14 to 40 days after the last", id="window"),
        pytest.param(
            'improvement = { threshold = "points", value = "3.50" }',
            "Improved: a change for the better of 3.5 points or more.",
            id="points",
        ),
        pytest.param(
            'improvement = { threshold = "percent", value = 30 }',
            "Improved: a change for the better of 30 percent of the baseline or more.",
            id="percent",
        ),
        pytest.param(
            'improvement.threshold = "published"\nsurveys.instruments = ["odi", "koos_jr", "avvq"]',
            "Improved: a change for the better at least as large as the published one: odi 10 points, "
            "koos_jr 6.8 points (unverified), avvq has none.",
            id="published",
        ),
        pytest.param(
            'surveys.respondents = ["proxy"]', "surveys count that a proxy answered, not the patient", id="proxy"
        ),
        pytest.param(
            'surveys.respondents = ["proxy", "patient"]', "whether the patient or a proxy answered", id="everybody"
        ),
        pytest.param('surveys.instruments = ["lefs", "odi"]', "Instruments: lefs, odi.", id="instruments"),
        pytest.param(
            'published_codes = ["G9603", "G9604"]',
            "a follow-up that is sent later replaces it or takes it back.",
            id="closed-windows",
        ),
        pytest.param(
            'published_codes = ["G9603", "G9604", "G9605"]',
            "where no follow-up came; not published: none.",
            id="all-codes",
        ),
        pytest.param(
            "retention_days = 730",
            "Retention: an episode of which nothing was heard for 730 days is forgotten; its code stands",
            id="retention",
        ),
        pytest.param(
            'treatments = { qualifying = ["HCPCS:97110", "SNOMED-CT:*", "HCPCS:3647n"], excluded = [] }',
            "Treatments: a follow-up counts after CPT or HCPCS 97110 or 3647n (n is any digit) or any SNOMED CT code.",
            id="treatments",
        ),
        pytest.param(
            PAYER + 'charge = "0.01"\nmodifiers = ["GP", "KX"]',
            "Payer Alpha (payer_id a, al, alpha): the code goes on a claim line, charge 0.01 USD, with GP and KX; "
            "no filing limit is stated.",
            id="payer",
        ),
        pytest.param(
            PAYER.replace("claim", "both"), "the code goes on a claim line and to the registry", id="both-channels"
        ),
        pytest.param(
            'other_payer.channel = "registry"',
            "Any other payer, or none known: the code goes to the registry, and on no claim",
            id="other-payer",
        ),
    ],
)
def test_a_rule_is_told(text: str, sentence: str) -> None:
    """What a policy states is told in words, with its numbers."""
    assert sentence in "\n".join(explained(text))


def test_a_published_percentage_is_told() -> None:
    """An instrument whose change is published in percent alone says so."""
    odi = replace(REGISTRY["odi"], published_change=PublishedChange(None, Decimal(30), "A 2020"))
    text = f'{HEAD}improvement.threshold = "published"'

    explanation = explain_policy(parse_policy(text, {"odi": odi}, name="the test's policy"))

    assert explanation[4].endswith("as large as the published one: odi 30 percent of the baseline.")


@pytest.mark.parametrize(
    ("program", "sentences"),
    [
        pytest.param(
            ODI_AFTER_97110,
            ["Program q applies to surveys on odi, in episodes with CPT or HCPCS 97110. Its rules are the policy's."],
            id="nothing-differs",
        ),
        pytest.param(
            ODI_AFTER_97110 + "baseline.look_back_days = 5\nimprovement = { threshold = 'points', value = 10 }",
            [
                "Program q applies to surveys on odi, in episodes with CPT or HCPCS 97110. There:",
                (
                    "Program q, baseline: the latest valid survey (complete, and not entered in error) at or before "
                    "the anchor, at most 5 days before it; the anchor is the earliest qualifying treatment that "
                    "has one."
                ),
                "Program q, improved: a change for the better of 10 points or more.",
            ],
            id="two-rules-differ",
        ),
        pytest.param(
            "surveys.instruments = ['odi']\n" + PROGRAM.format("q", "instruments = ['nprs', 'avvq']"),
            ["Program q applies to surveys on avvq or nprs. There:", "Program q, instruments: avvq, nprs."],
            id="instruments-admitted",
        ),
        pytest.param(
            PROGRAM.format("q", "treatments = ['HCPCS:*']") + "surveys.instruments = ['nprs', 'odi']",
            [
                "Program q applies to surveys on any instrument, in episodes with any CPT or HCPCS code. There:",
                "Program q, instruments: odi, nprs.",
            ],
            id="instruments-in-the-policys-order",
        ),
    ],
)
def test_a_program_is_told_by_what_differs(program: str, sentences: list[str]) -> None:
    """A program says when it applies, and then those of its rules that are not the policy's."""
    assert [sentence for sentence in explained(program) if sentence.startswith("Program")] == sentences


@pytest.mark.parametrize(
    ("text", "warnings"),
    [
        pytest.param("", [], id="nothing-to-warn-of"),
        pytest.param(
            "[other_payer]\nchannel = 'claim'",
            [
                (
                    "a payer that this policy does not name, or that nobody told, is not held: its codes go out by "
                    "a rule that was made for no payer in particular."
                )
            ],
            id="unknown-payers-not-held",
        ),
        pytest.param(
            "[improvement]\nthreshold = 'published'\n[surveys]\ninstruments = ['odi', 'audit', 'avvq']",
            ["no survey on audit, avvq can improve, since no change is published for it."],
            id="no-published-change",
        ),
        pytest.param(
            "[improvement]\nthreshold = 'published'\n[surveys]\ninstruments = ['odi', 'audit']\n"
            + PROGRAM.format("q", "instruments = ['audit']")
            + "improvement.threshold = 'any'",
            [],
            id="no-published-change-and-a-program-for-it",
        ),
        pytest.param(
            "[improvement]\nthreshold = 'points'\nvalue = 11\n[surveys]\ninstruments = ['odi', 'nprs']",
            ["no survey on nprs can improve, since the threshold is wider than its scale."],
            id="wider-than-the-scale",
        ),
        pytest.param(
            "[improvement]\nthreshold = 'points'\nvalue = 10\n[surveys]\ninstruments = ['odi', 'nprs']",
            [],
            id="as-wide-as-the-scale",
        ),
        pytest.param(
            "[treatments]\nqualifying = ['HCPCS:97161', 'HCPCS:nnnnF']",
            ["no treatment can qualify, since all that qualifies is excluded as well."],
            id="nothing-qualifies",
        ),
        pytest.param("[treatments]\nqualifying = ['HCPCS:97161', 'HCPCS:97110']", [], id="something-qualifies"),
        pytest.param(
            "[treatments]\nqualifying = ['HCPCS:3647n']\nexcluded = ['HCPCS:36475-36483']", [], id="some-digits-qualify"
        ),
        pytest.param(
            PROGRAM.format("one", "instruments = ['odi', 'nprs']")
            + PROGRAM.format("two", "instruments = ['odi'], treatments = ['HCPCS:97110']"),
            ["in program two, nothing is ever decided, since program one above it takes all of it."],
            id="shadowed-by-its-instruments",
        ),
        pytest.param(
            PROGRAM.format("one", "treatments = ['HCPCS:97110-97140']")
            + PROGRAM.format("two", "instruments = ['odi'], treatments = ['HCPCS:97112']"),
            ["in program two, nothing is ever decided, since program one above it takes all of it."],
            id="shadowed-by-its-treatments",
        ),
        pytest.param(
            PROGRAM.format("one", "instruments = ['odi'], treatments = ['HCPCS:97110']")
            + PROGRAM.format("two", "instruments = ['odi']")
            + PROGRAM.format("three", "treatments = ['HCPCS:97110']"),
            [],
            id="the-narrower-goes-first",
        ),
        pytest.param(
            PROGRAM.format("q", "instruments = ['odi']") + "surveys.instruments = ['nprs']",
            ["in program q, no survey counts, since it takes other instruments than it applies to."],
            id="other-instruments",
        ),
        pytest.param(
            PROGRAM.format("q", "instruments = ['odi']") + "improvement = { threshold = 'points', value = 101 }",
            ["in program q, no survey on odi can improve, since the threshold is wider than its scale."],
            id="wider-than-the-scale-in-a-program",
        ),
    ],
)
def test_what_is_hardly_meant_is_warned_of(text: str, warnings: list[str]) -> None:
    """What is allowed and can never come true, or goes out unasked, is told; what is sound is not."""
    assert warned(text) == warnings


def test_a_follow_up_without_a_threshold_is_coded_as_not_improved() -> None:
    """Where G9605 is published, the warning says what an instrument without a published change leads to."""
    (warning,) = warned(
        "published_codes = ['G9603', 'G9605']\nimprovement.threshold = 'published'\nsurveys.instruments = ['avvq']"
    )

    assert warning.endswith("and its follow-ups are coded G9605 whatever their score.")


def test_a_policy_without_payers_holds_everything() -> None:
    """Where no payer is named, or each is held, nobody is sent anything, and that is said."""
    expected = ["every code is held, since no payer has another channel."]

    assert policy_warnings(parsed(HEAD)) == expected
    assert policy_warnings(parsed(HEAD + PAYER.replace("claim", "hold"))) == expected


def test_warnings_come_last() -> None:
    """An explanation ends with what should be looked at."""
    assert explained("")[-1] == "Warning: every code is held, since no payer has another channel."


@given(document=policy_documents())
def test_every_policy_can_be_explained(document: Document) -> None:
    """An explanation is made of sentences, and ends with the warnings."""
    policy = parsed(policy_text(document))

    explanation, warnings = explain_policy(policy), policy_warnings(policy)

    assert all(sentence.endswith((".", ":")) for sentence in explanation[1:])
    assert explanation[len(explanation) - len(warnings) :] == [f"Warning: {warning}" for warning in warnings]


@given(
    document=policy_documents(),
    other=policy_documents(),
    table=st.sampled_from(("baseline", "follow_up", "improvement", "surveys")),
)
def test_no_rule_is_left_unsaid(document: Document, other: Document, table: str) -> None:
    """Another number, threshold, respondent or instrument is another explanation, and nothing else is."""
    first = parsed(policy_text(document))
    second = parsed(policy_text(document | {table: other.get(table, {})}))

    assert (explain_policy(first) == explain_policy(second)) is (first.rules == second.rules)
