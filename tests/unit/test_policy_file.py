"""Which rules a policy file means, and how one that is not right is refused."""

from decimal import Decimal
from importlib import resources
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.vocabulary import Channel, QualityDataCode, RecordStatus, Respondent, TreatmentCodeSystem
from streams.domain.code_set import CodeSet
from streams.domain.fact import Treatment
from streams.domain.instant import Instant
from streams.domain.policy import REFUSED_MODIFIERS, PayerRule, Policy, Program, Threshold, ThresholdKind
from streams.instruments.registry import load_registry
from streams.policies.policy_file import PolicyFile, PolicyRefusedError
from streams.policies.policy_loading import load_policy, parse_policy
from streams.policies.policy_warnings import policy_warnings
from tests.policies_for_tests import DEFAULT_RULES
from tests.policy_documents import WORDS, Document, anything, policy_documents, policy_text, tables_in

REGISTRY = load_registry()
FOLDER = resources.files("streams.policies")
SHIPPED = sorted(file.name for file in FOLDER.iterdir() if file.name.endswith(".toml"))
HEAD = 'id = "p"\nversion = "1"\n'
PAYER = '[[payers]]\nid = "a"\nname = "Alpha"\nchannel = "claim"\n'
SECOND_PAYER = PAYER.replace('"a"', '"b"').replace("Alpha", "Beta")
PROGRAM = '[[programs]]\nid = "q"\n'
ON_ODI = PROGRAM + 'applies_to.instruments = ["odi"]\n'


def parsed(text: str) -> Policy:
    return parse_policy(text, REGISTRY, name="the test's policy")


def shipped(name: str) -> Policy:
    return parsed(FOLDER.joinpath(name).read_text("utf-8"))


def faults_of(text: str) -> tuple[str, ...]:
    with pytest.raises(PolicyRefusedError) as caught:
        parsed(text)
    return caught.value.faults


def answer_to(text: str) -> Policy | tuple[str, ...]:
    """The policy, or what is wrong with it."""
    try:
        return parsed(text)
    except PolicyRefusedError as refusal:
        return refusal.faults


def treatment(code: str) -> Treatment:
    return Treatment("ehr", "1", "t", 1, RecordStatus.COMPLETED, "p", code, TreatmentCodeSystem.HCPCS, Instant(0, 0))


class TestShippedPolicies:
    """What comes with the package."""

    BUILT_IN = load_policy(None, REGISTRY)

    def test_the_built_in_policy_is_the_contracts_default(self) -> None:
        """Each rule of the built-in policy is what contract.md calls the default policy."""
        rules = self.BUILT_IN.rules

        assert (self.BUILT_IN.id, self.BUILT_IN.version) == ("default", "1")
        assert self.BUILT_IN.published_codes == {QualityDataCode.SCORE_IMPROVED}
        assert rules.look_back_days == 90
        assert (rules.follow_up_from_days, rules.follow_up_to_days) == (0, 365)
        assert rules.threshold == Threshold(ThresholdKind.ANY, Decimal(0))
        assert rules.respondents == {Respondent.PATIENT}
        assert rules.instruments == tuple(REGISTRY)
        assert rules.qualifying == CodeSet(["HCPCS:*"])
        assert rules.excluded == CodeSet(["HCPCS:97161-97168", "HCPCS:nnnnF", "HCPCS:G9603-G9605"])
        assert self.BUILT_IN.programs == ()
        assert self.BUILT_IN.instruments is REGISTRY

    @pytest.mark.parametrize(
        ("id_", "name", "channel", "filing_limit_days"),
        [
            ("aetna", "Aetna", Channel.CLAIM, 120),
            ("blue-cross-blue-shield", "Blue Cross Blue Shield", Channel.CLAIM, 90),
            ("cigna", "Cigna Health", Channel.CLAIM, 90),
            ("unitedhealthcare", "UnitedHealthcare", Channel.CLAIM, 90),
            ("medicare", "Medicare", Channel.REGISTRY, 365),
        ],
    )
    def test_the_built_in_policy_has_five_payers(
        self, id_: str, name: str, channel: Channel, filing_limit_days: int
    ) -> None:
        """Medicare takes the code through the registry, the others on a claim; no line has a charge or modifier."""
        payer = self.BUILT_IN.payer_rule(id_)

        assert len(self.BUILT_IN.payers) == 5
        assert payer == PayerRule(id_, name, payer.matches, channel, "0.00", (), filing_limit_days)

    @pytest.mark.parametrize(
        ("payer_id", "rule"),
        [
            ("AETNA", "aetna"),
            ("60054", "aetna"),
            ("bcbs", "blue-cross-blue-shield"),
            ("Blue Cross Blue Shield", "blue-cross-blue-shield"),
            ("Cigna Health", "cigna"),
            ("CIGNA", "cigna"),
            (" uhc ", "unitedhealthcare"),
            ("UnitedHealthcare", "unitedhealthcare"),
            ("CMS", "medicare"),
            ("medicare part b", "medicare"),
            ("Aetna Medicare", "other"),
            ("Medicaid", "other"),
            ("medicar", "other"),
            (None, "other"),
        ],
    )
    def test_payers_are_known_by_their_names(self, payer_id: str | None, rule: str) -> None:
        """A payer is known by its id, its name and its abbreviations; what only resembles one is any other payer."""
        assert self.BUILT_IN.payer_rule(payer_id).id == rule

    def test_an_unknown_payer_is_held(self) -> None:
        """The rule for any other payer holds the code, without charge, modifiers or a filing limit."""
        assert self.BUILT_IN.other_payer == PayerRule(
            "other", "Any other payer", frozenset(), Channel.HOLD, "0.00", (), None
        )

    def test_what_a_file_leaves_out_is_the_default(self) -> None:
        """A file with an id and a version alone decides as the built-in policy does, and names no payer."""
        policy = parsed(HEAD)

        assert policy.rules == self.BUILT_IN.rules
        assert policy.published_codes == self.BUILT_IN.published_codes
        assert policy.other_payer == self.BUILT_IN.other_payer
        assert (policy.description, policy.payers, policy.programs) == ("", (), ())

    @pytest.mark.parametrize("name", SHIPPED)
    def test_every_shipped_policy_is_right(self, name: str) -> None:
        """All policy files of the package load, and none of them gives cause for a warning."""
        assert policy_warnings(shipped(name)) == []

    def test_the_shipped_policies_are_told_apart(self) -> None:
        """No two policy files of the package have the same id."""
        assert len({shipped(name).id for name in SHIPPED}) == len(SHIPPED) >= 2

    def test_the_readme_shows_a_policy(self) -> None:
        """The example of the README can be worked by as it stands."""
        _, rest = FOLDER.joinpath("README.md").read_text("utf-8").split("```toml\n")

        assert parsed(rest.partition("```")[0]).programs


class TestMeasure420:
    """The example of a program."""

    POLICY = shipped("measure_420.toml")

    @pytest.mark.parametrize("code", ["36473", "36475", "36478", "36482"])
    def test_a_saphenous_ablation_is_decided_by_the_program(self, code: str) -> None:
        """After an ablation of any kind, disease-specific surveys count from three to six months."""
        program = self.POLICY.program_of("avvq", [treatment("99213"), treatment(code)])

        assert program is not None
        assert program.id == "mips-420"
        assert (program.rules.follow_up_from_days, program.rules.follow_up_to_days) == (90, 183)
        assert program.rules.instruments == ("avvq", "civiq20", "veines_qol", "vvsymq")
        assert program.rules.qualifies(treatment(code))
        assert not program.rules.qualifies(treatment("99213"))

    def test_other_episodes_are_not(self) -> None:
        """Without an ablation, the surveys on veins are decided as all others are."""
        assert self.POLICY.program_of("avvq", [treatment("37765")]) is None

    def test_the_rest_is_the_built_in_policy(self) -> None:
        """The program is all that the example changes."""
        built_in = load_policy(None, REGISTRY)

        assert self.POLICY.rules == built_in.rules
        assert self.POLICY.payers == built_in.payers
        assert self.POLICY.other_payer == built_in.other_payer
        assert self.POLICY.published_codes == built_in.published_codes


class TestMeaning:
    """What a file comes to mean."""

    @pytest.mark.parametrize(
        ("written", "threshold"),
        [
            ('threshold = "any"', Threshold(ThresholdKind.ANY)),
            ('threshold = "published"', Threshold(ThresholdKind.PUBLISHED)),
            ('threshold = "points"\nvalue = "3.5"', Threshold(ThresholdKind.POINTS, Decimal("3.5"))),
            ('threshold = "points"\nvalue = 0.1', Threshold(ThresholdKind.POINTS, Decimal("0.1"))),
            ('threshold = "percent"\nvalue = 30', Threshold(ThresholdKind.PERCENT, Decimal(30))),
            ('threshold = "percent"\nvalue = 100', Threshold(ThresholdKind.PERCENT, Decimal(100))),
        ],
    )
    def test_a_threshold_is_exact(self, written: str, threshold: Threshold) -> None:
        """A threshold is the decimal that was written, in quotes or without."""
        assert parsed(f"{HEAD}[improvement]\n{written}").rules.threshold == threshold

    @pytest.mark.parametrize(
        ("named", "first", "last"),
        [
            ('"*"', "odi", "vvsymq"),
            ('"lefs", "*"', "lefs", "vvsymq"),
            ('"*", "odi"', "rmdq", "odi"),
            ('"vvsymq", "*", "odi"', "vvsymq", "odi"),
        ],
    )
    def test_a_star_is_the_rest_of_the_registry(self, named: str, first: str, last: str) -> None:
        """All instruments that are not named stand in the place of the star, in the registry's order."""
        order = parsed(f"{HEAD}[surveys]\ninstruments = [{named}]").rules.instruments
        unnamed = [name for name in order if f'"{name}"' not in named]

        assert sorted(order) == sorted(REGISTRY)
        assert (order[0], order[-1]) == (first, last)
        assert unnamed == [name for name in REGISTRY if name in unnamed]

    def test_modifiers_are_in_upper_case(self) -> None:
        """A modifier is what the code set calls it, however it was typed."""
        (payer,) = parsed(f'{HEAD}{PAYER}modifiers = ["gp", "Kx"]').payers

        assert payer.modifiers == ("GP", "KX")

    @pytest.mark.parametrize(
        ("policy", "program", "field", "value"),
        [
            ("", "baseline.look_back_days = 30", "look_back_days", 30),
            ("", "follow_up.from_days = 14", "follow_up_from_days", 14),
            ("", "follow_up.from_days = 14", "follow_up_to_days", 365),
            ("follow_up.to_days = 700", "follow_up.from_days = 400", "follow_up_to_days", 700),
            ("", 'improvement.threshold = "published"', "threshold", Threshold(ThresholdKind.PUBLISHED)),
            (
                'improvement = { threshold = "points", value = 5 }',
                'improvement.threshold = "any"',
                "threshold",
                Threshold(ThresholdKind.ANY),
            ),
            (
                'improvement = { threshold = "points", value = 5 }',
                "",
                "threshold",
                Threshold(ThresholdKind.POINTS, Decimal(5)),
            ),
            ("", 'surveys.respondents = ["proxy"]', "respondents", {Respondent.PROXY}),
            ("", 'surveys.instruments = ["lefs", "odi"]', "instruments", ("lefs", "odi")),
            ('surveys.instruments = ["lefs"]', 'surveys.instruments = ["*"]', "instruments", tuple(REGISTRY)),
            ("", 'treatments.qualifying = ["HCPCS:97110"]', "qualifying", CodeSet(["HCPCS:97110"])),
            ("", 'treatments.qualifying = ["HCPCS:97110"]', "excluded", DEFAULT_RULES.excluded),
            ("treatments.excluded = []", "", "excluded", CodeSet([])),
        ],
    )
    def test_a_program_states_what_differs(self, policy: str, program: str, field: str, value: object) -> None:
        """What a program states replaces the policy's field; what it does not state is the policy's."""
        (narrowed,) = parsed(f"{HEAD}{policy}\n{ON_ODI}{program}").programs

        assert getattr(narrowed.rules, field) == value

    def test_a_program_that_states_nothing_has_the_policys_rules(self) -> None:
        """A program may only give decisions its name."""
        policy = parsed(HEAD + ON_ODI)

        assert policy.programs == (Program("q", frozenset({"odi"}), CodeSet([]), policy.rules),)

    def test_a_program_admits_what_it_applies_to(self) -> None:
        """An instrument that a program applies to counts there, though the policy does not take it."""
        scope = f'{PROGRAM}applies_to.instruments = ["vvsymq", "odi"]\n'
        policy = parsed(f'{HEAD}surveys.instruments = ["odi", "nprs"]\n{scope}surveys.respondents = ["proxy"]')

        assert policy.programs[0].rules.instruments == ("odi", "nprs", "vvsymq")
        assert policy.rules.instruments == ("odi", "nprs")

    def test_a_file_may_begin_with_a_byte_order_mark(self, tmp_path: Path) -> None:
        """What an editor on Windows saves is a policy, too."""
        file = tmp_path / "policy.toml"
        file.write_text(HEAD, "utf-8-sig")

        assert load_policy(file, REGISTRY).id == "p"


class TestRefusals:
    """What is wrong is told with its place, and with what to write instead."""

    @pytest.mark.parametrize(
        ("text", "place", "words"),
        [
            pytest.param('id = "p"', "version", "missing", id="missing"),
            pytest.param(HEAD.replace('"1"', "1"), "version", "1 is no text: put it in quotes", id="number-as-text"),
            pytest.param('id = " "\nversion = "1"', "id", "empty", id="blank-id"),
            pytest.param(HEAD + "descripton = 'x'", "descripton", 'did you mean "description"?', id="misspelt"),
            pytest.param(HEAD + "look_back_days = 9", "look_back_days", "belongs under [baseline]", id="misplaced"),
            pytest.param(
                HEAD + "[baseline]\npublished_codes = []",
                "baseline.published_codes",
                "belongs at the top, above the first table",
                id="below-the-first-table",
            ),
            pytest.param(HEAD + "colour = 1", "colour", "the keys here are baseline", id="unlike-any-key"),
            pytest.param(
                HEAD + "published_codes = ['G9603', 'G9606']",
                "published_codes[2]",
                'write "G9603", "G9604" or "G9605"',
                id="no-outcome",
            ),
            pytest.param(HEAD + "retention_days = 0", "retention_days", "write 1 or more", id="no-retention"),
            pytest.param(
                HEAD + "retention_days = 454",
                "retention_days",
                "a follow-up may still come for: write 455 or more",
                id="forgotten-too-soon",
            ),
            pytest.param(
                HEAD
                + "retention_days = 455\n[[programs]]\nid = 'p'\napplies_to = {instruments = ['odi']}\n"
                + "follow_up = {to_days = 730}",
                "retention_days",
                "write 820 or more",
                id="forgotten-too-soon-by-a-program",
            ),
            pytest.param(HEAD + "published_codes = []", "published_codes", "at least one", id="nothing-published"),
            pytest.param(HEAD + "published_codes = 'G9603'", "published_codes", "write a list", id="no-list"),
            pytest.param(
                HEAD + "[baseline]\nlook_back_days = -1", "baseline.look_back_days", "0 or more", id="negative-days"
            ),
            pytest.param(
                HEAD + "[baseline]\nlook_back_days = '90'",
                "baseline.look_back_days",
                '"90" is no whole number: write one without quotes',
                id="days-as-text",
            ),
            pytest.param(
                HEAD + "[baseline]\nlook_back_days = 1.5", "baseline.look_back_days", "no whole", id="half-a-day"
            ),
            pytest.param(
                HEAD + "[follow_up]\nfrom_days = 9\nto_days = 8",
                "follow_up",
                "open on day 9 and close on day 8",
                id="window-reversed",
            ),
            pytest.param(HEAD + "[follow_up]\nfrom_days = 366", "follow_up", "day 365", id="window-past-the-default"),
            pytest.param(HEAD + "follow_up = 9", "follow_up", "write a table", id="no-table"),
            pytest.param(
                HEAD + "[improvement]\nthreshold = 'some'",
                "improvement.threshold",
                'write "any", "published", "points" or "percent", not "some"',
                id="threshold-kind",
            ),
            pytest.param(
                HEAD + "[improvement]\nthreshold = 'points'", "improvement", "say how many points", id="no-value"
            ),
            pytest.param(HEAD + "[improvement]\nvalue = 5", "improvement", '"any" takes no value', id="value-alone"),
            pytest.param(
                HEAD + "[improvement]\nthreshold = 'published'\nvalue = 5",
                "improvement",
                '"published" takes no value',
                id="superfluous-value",
            ),
            pytest.param(
                HEAD + "[improvement]\nthreshold = 'points'\nvalue = 0",
                "improvement.value",
                "write a number above 0",
                id="value-of-zero",
            ),
            pytest.param(
                HEAD + "[improvement]\nthreshold = 'points'\nvalue = '-5'",
                "improvement.value",
                "write a number above 0",
                id="negative-value",
            ),
            pytest.param(
                HEAD + "[improvement]\nthreshold = 'points'\nvalue = 'five'",
                "improvement.value",
                '"five" is no number',
                id="value-in-words",
            ),
            pytest.param(
                HEAD + "[improvement]\nthreshold = 'points'\nvalue = nan",
                "improvement.value",
                "no number",
                id="not-a-number",
            ),
            pytest.param(
                HEAD + "[improvement]\nthreshold = 'points'\nvalue = true",
                "improvement.value",
                "true is no number",
                id="truth-as-value",
            ),
            pytest.param(
                HEAD + "[improvement]\nthreshold = 'percent'\nvalue = 100.5",
                "improvement",
                "100.5 percent is more than the whole baseline",
                id="more-than-all",
            ),
            pytest.param(
                HEAD + "[surveys]\nrespondents = ['nurse']",
                "surveys.respondents[1]",
                'write "patient" or "proxy", not "nurse"',
                id="respondent",
            ),
            pytest.param(HEAD + "[surveys]\nrespondents = []", "surveys.respondents", "at least one", id="nobody"),
            pytest.param(
                HEAD + "[surveys]\ninstruments = ['odi', 'phq-9']",
                "surveys.instruments[2]",
                'no instrument is called "phq-9": did you mean "phq9"?',
                id="instrument-misspelt",
            ),
            pytest.param(
                HEAD + "[surveys]\ninstruments = ['xyz']",
                "surveys.instruments[1]",
                "there are odi, rmdq",
                id="instrument-unknown",
            ),
            pytest.param(
                HEAD + "[surveys]\ninstruments = ['odi', 'odi']",
                "surveys.instruments",
                '"odi" stands there twice',
                id="instrument-twice",
            ),
            pytest.param(
                HEAD + "[surveys]\ninstruments = []", "surveys.instruments", "at least one", id="no-instruments"
            ),
            pytest.param(
                HEAD + "[treatments]\nqualifying = ['97110']",
                "treatments.qualifying[1]",
                "'97110' names no treatment codes: write HCPCS:",
                id="pattern-without-system",
            ),
            pytest.param(
                HEAD + "[treatments]\nexcluded = ['HCPCS:97168-97161']",
                "treatments.excluded[1]",
                "names no treatment codes",
                id="range-reversed",
            ),
            pytest.param(
                HEAD + "[treatments]\nqualifying = []", "treatments.qualifying", "at least one", id="nothing-qualifies"
            ),
            pytest.param(HEAD + "[payers]\nid = 'a'", "payers", "write [[payers]]", id="single-brackets"),
            pytest.param(
                HEAD + PAYER.replace("claim", "fax"),
                'payers[1].channel ("a")',
                'write "claim", "registry", "both" or "hold", not "fax"',
                id="channel",
            ),
            pytest.param(
                HEAD + PAYER.replace('channel = "claim"', ""), 'payers[1].channel ("a")', "missing", id="no-channel"
            ),
            pytest.param(
                HEAD + PAYER + "charge = '1.00'", 'payers[1].charge ("a")', 'write "0.00" or "0.01"', id="charge"
            ),
            pytest.param(
                HEAD + PAYER + "filing_limit_days = 0",
                'payers[1].filing_limit_days ("a")',
                "write 1 or more",
                id="no-time-to-file",
            ),
            pytest.param(
                HEAD + PAYER + "modifiers = ['GPX']",
                'payers[1].modifiers[1] ("a")',
                '"GPX" is no modifier: write two characters',
                id="three-characters",
            ),
            pytest.param(
                HEAD + PAYER + "modifiers = ['ß']",
                'payers[1].modifiers[1] ("a")',
                "no modifier",
                id="two-characters-in-upper-case",
            ),
            pytest.param(
                HEAD + PAYER + "modifiers = ['GP', 'gp']",
                'payers[1].modifiers ("a")',
                '"GP" stands there twice',
                id="modifier-twice",
            ),
            pytest.param(
                HEAD + PAYER + "modifiers = ['GP', 'KX', 'LT', 'RT', 'XE']",
                'payers[1].modifiers ("a")',
                "these are 5: there is room for 4",
                id="five-modifiers",
            ),
            pytest.param(
                HEAD + PAYER + SECOND_PAYER.replace('"b"', '"A"'),
                'payers[2] ("A")',
                '"A" means payers[1] already',
                id="payer-id-twice",
            ),
            pytest.param(
                HEAD + PAYER + "matches = ['X', 'x']\n" + SECOND_PAYER + "matches = [' x']",
                'payers[2] ("b")',
                '" x" means payers[1] already; one payer_id cannot mean two payers',
                id="match-in-two-payers",
            ),
            pytest.param(
                HEAD + PAYER + SECOND_PAYER + "matches = ['ALPHA']",
                'payers[2] ("b")',
                '"ALPHA" means payers[1] already',
                id="name-of-another-payer",
            ),
            pytest.param(
                HEAD + "[other_payer]\nmodifiers = []", "other_payer.modifiers", "[[payers]]", id="other-payer"
            ),
            pytest.param(HEAD + PROGRAM, 'programs[1].applies_to ("q")', "missing", id="program-for-everything-unsaid"),
            pytest.param(
                HEAD + PROGRAM + "applies_to = {}",
                'programs[1].applies_to ("q")',
                "would replace the policy",
                id="program-for-everything",
            ),
            pytest.param(
                HEAD + PROGRAM + "applies_to.instruments = ['*']",
                'programs[1].applies_to.instruments[1] ("q")',
                "where every one is meant, leave instruments out",
                id="program-for-every-instrument",
            ),
            pytest.param(
                HEAD + PROGRAM + "applies_to.instruments = ['abc']",
                'programs[1].applies_to.instruments[1] ("q")',
                'no instrument is called "abc"',
                id="program-for-unknown-instrument",
            ),
            pytest.param(
                HEAD + PROGRAM + "applies_to.treatments = ['HCPCS:1']",
                'programs[1].applies_to.treatments[1] ("q")',
                "names no treatment codes",
                id="program-for-no-code",
            ),
            pytest.param(
                HEAD + ON_ODI + ON_ODI, "programs[2].id", '"q" is the id of programs[1] already', id="program-twice"
            ),
            pytest.param(
                HEAD + ON_ODI + "follow_up.from_days = 400",
                'programs[1].follow_up ("q")',
                "open on day 400 and close on day 365",
                id="program-window-reversed",
            ),
            pytest.param(
                HEAD + ON_ODI + "improvement.value = 5",
                'programs[1].improvement ("q")',
                "takes no value",
                id="program-value-alone",
            ),
            pytest.param(
                HEAD + ON_ODI + "payers = []", 'programs[1].payers ("q")', "belongs at the top", id="program-payers"
            ),
        ],
    )
    def test_a_fault_is_told_with_its_place(self, text: str, place: str, words: str) -> None:
        """One fault is one sentence: where it is, what is wrong, what to write."""
        (fault,) = faults_of(text)

        assert fault.startswith(f"{place}: ")
        assert words in fault
        assert fault.endswith((".", "?"))

    @pytest.mark.parametrize("modifier", REFUSED_MODIFIERS)
    def test_a_modifier_of_services_is_refused(self, modifier: str) -> None:
        """Modifiers that never reach a quality-data code are refused with the reason, in any case."""
        (fault,) = faults_of(f'{HEAD}{PAYER}modifiers = ["{modifier.lower()}"]')

        assert fault == (
            f'payers[1].modifiers[1] ("a"): {modifier} never goes on a quality-data code: '
            f"{REFUSED_MODIFIERS[modifier]}."
        )

    def test_all_faults_are_told_at_once(self) -> None:
        """Faults in fields, between fields and between tables come in one refusal."""
        faults = faults_of(
            f'version = "1"\nfollow_up.from_days = 500\nimprovement.threshold = "points"\ncolour = 1\n'
            f'{PAYER}modifiers = ["1P", "22"]\n{PAYER}{ON_ODI}{ON_ODI}surveys.instruments = ["x"]'
        )

        assert [fault.partition(":")[0] for fault in faults] == [
            "improvement",
            "id",
            'payers[1].modifiers[1] ("a")',
            'payers[1].modifiers[2] ("a")',
            'programs[2].surveys.instruments[1] ("q")',
            "colour",
            'payers[2] ("a")',
            'payers[2] ("a")',
            "programs[2].id",
            "follow_up",
        ]

    def test_a_refusal_names_the_policy(self) -> None:
        """The message is the name of the policy, and a line for each fault."""
        with pytest.raises(PolicyRefusedError) as caught:
            parse_policy("x = 1", REGISTRY, name="clinic.toml")

        assert str(caught.value).splitlines() == ["clinic.toml is not fit to work by:", *caught.value.faults]

    @pytest.mark.parametrize(
        ("text", "words"),
        [
            (HEAD + "[baseline\n", "line 3"),
            (HEAD + "id = 'q'\n[baseline]", "line 3"),
            ("\n\nlook_back_days 90", "line 3"),
            ("x = " + "[" * 5_000, "recursion"),
            ("x = " + "9" * 5_000, "digits"),
        ],
    )
    def test_what_is_no_toml_is_told_with_its_line(self, text: str, words: str) -> None:
        """A slip in the syntax is told with the line where reading ended."""
        (fault,) = faults_of(text)

        assert fault.startswith("It is not TOML: ")
        assert words in fault

    def test_a_file_that_is_not_there_is_told(self, tmp_path: Path) -> None:
        """A path that leads nowhere names the setting it came from."""
        with pytest.raises(PolicyRefusedError, match=r"nowhere\.toml is not fit.*\n.*No such file.*G9603_POLICY"):
            load_policy(tmp_path / "nowhere.toml", REGISTRY)

    def test_a_file_that_is_no_text_is_told(self, tmp_path: Path) -> None:
        """A file in another encoding is no policy."""
        file = tmp_path / "policy.toml"
        file.write_bytes(b'id = "\xe4"')

        with pytest.raises(PolicyRefusedError, match="save it as UTF-8"):
            load_policy(file, REGISTRY)


def _at(document: Document, path: tuple[str | int, ...]) -> Any:  # noqa: ANN401 - whatever stands there
    value: Any = document
    for step in path:
        value = value[step]
    return value


class TestLaws:
    """What holds for every policy file."""

    @given(document=policy_documents())
    def test_a_right_policy_means_what_it_says(self, document: Document) -> None:
        """A policy within the format is never refused, and each of its payers is known by each of its names."""
        policy = parsed(policy_text(document))

        assert (policy.id, policy.version) == (document["id"].strip(), document["version"].strip())
        assert policy.description == document.get("description", "")
        assert policy.rules.look_back_days == document.get("baseline", {}).get("look_back_days", 90)
        assert [program.id for program in policy.programs] == [p["id"].strip() for p in document.get("programs", [])]
        for payer in document.get("payers", []):
            for name in (payer["id"], payer["name"], *payer["matches"]):
                assert policy.payer_rule(name.swapcase()).name == payer["name"].strip()

    @given(document=policy_documents(), data=st.data(), key=WORDS)
    def test_an_unknown_key_is_refused_wherever_it_stands(
        self, document: Document, data: st.DataObject, key: str
    ) -> None:
        """A key that the format does not have is the one fault of a policy that is otherwise right."""
        path = data.draw(st.sampled_from(tables_in(document)))
        key = f"{key}_x"
        _at(document, path)[key] = data.draw(anything())
        (fault,) = faults_of(policy_text(document))

        assert key in fault.partition(":")[0]
        assert "there is no such key" in fault

    @given(document=policy_documents(), data=st.data(), value=anything())
    def test_a_policy_is_taken_or_refused(self, document: Document, data: st.DataObject, value: object) -> None:
        """Whatever stands in a field, the answer is a policy or a refusal with a reason."""
        path = data.draw(st.sampled_from(tables_in(document)))
        field = data.draw(st.sampled_from([*_at(document, path), *PolicyFile.model_fields]))
        _at(document, path)[field] = value
        answer = answer_to(policy_text(document))

        if isinstance(answer, Policy):
            assert answer.rules.instruments
        else:
            assert answer
            assert all(fault.endswith((".", "?")) for fault in answer)

    @given(text=st.text())
    def test_any_text_is_taken_or_refused(self, text: str) -> None:
        """No text that is not a policy with an id becomes one."""
        assert faults_of(text)
