"""The policies that the tests decide by: the contract's default, and that with a rule or two changed."""

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal

from schemas.vocabulary import Channel, QualityDataCode, Respondent
from streams.domain.code_set import CodeSet
from streams.domain.policy import PayerRule, Policy, Program, Rules, Threshold, ThresholdKind
from streams.instruments.registry import load_registry

INSTRUMENTS = load_registry()
PATIENT_ONLY = frozenset({Respondent.PATIENT})
IMPROVED_ONLY = frozenset({QualityDataCode.SCORE_IMPROVED})
NOT_IMPROVED_TOO = IMPROVED_ONLY | {QualityDataCode.SCORE_NOT_IMPROVED}
NO_RESULT_TOO = IMPROVED_ONLY | {QualityDataCode.RESULTS_NOT_AVAILABLE}
ALL_CODES = frozenset(QualityDataCode)

DEFAULT_RULES = Rules(
    look_back_days=90,
    follow_up_from_days=0,
    follow_up_to_days=365,
    threshold=Threshold(),
    respondents=PATIENT_ONLY,
    instruments=tuple(INSTRUMENTS),
    qualifying=CodeSet(["HCPCS:*"]),
    excluded=CodeSet(["HCPCS:97161-97168", "HCPCS:nnnnF", "HCPCS:G9603-G9605"]),
)

AETNA = PayerRule("aetna", "Aetna", frozenset({"aetna", "60054"}), Channel.CLAIM, "0.01", ("GP",), 120)
MEDICARE = PayerRule("medicare", "Medicare", frozenset({"medicare"}), Channel.REGISTRY, "0.00", (), 365)
ANY_OTHER = PayerRule("other", "Any other payer", frozenset(), Channel.HOLD, "0.00", (), None)

DEFAULT = Policy(
    id="test-default",
    version="7",
    description="The contract's default, with two payers.",
    published_codes=IMPROVED_ONLY,
    rules=DEFAULT_RULES,
    programs=(),
    payers=(AETNA, MEDICARE),
    other_payer=ANY_OTHER,
    instruments=INSTRUMENTS,
)


def by(rules: Rules) -> Policy:
    """The default policy with other *rules*."""
    return replace(DEFAULT, rules=rules)


def by_threshold(kind: ThresholdKind, value: str = "0") -> Policy:
    """The default policy with another threshold."""
    return by(replace(DEFAULT_RULES, threshold=Threshold(kind, Decimal(value))))


def _in_order(*first: str) -> tuple[str, ...]:
    return (*first, *(name for name in INSTRUMENTS if name not in first))


_VEINS = Program(
    id="veins",
    instruments=frozenset({"avvq", "civiq20"}),
    treatments=CodeSet(["HCPCS:36475"]),
    rules=replace(
        DEFAULT_RULES,
        follow_up_from_days=90,
        follow_up_to_days=183,
        threshold=Threshold(ThresholdKind.POINTS, Decimal(5)),
    ),
)

POLICIES: Mapping[str, Policy] = {
    "default": DEFAULT,
    "any, G9605": replace(DEFAULT, published_codes=NOT_IMPROVED_TOO),
    "G9605 only": replace(DEFAULT, published_codes=frozenset({QualityDataCode.SCORE_NOT_IMPROVED})),
    "any, G9604": replace(DEFAULT, published_codes=NO_RESULT_TOO),
    "all three": replace(DEFAULT, published_codes=ALL_CODES),
    "points 3.5": by_threshold(ThresholdKind.POINTS, "3.5"),
    "percent 30": by_threshold(ThresholdKind.PERCENT, "30"),
    "published": by_threshold(ThresholdKind.PUBLISHED),
    "published, G9605": replace(by_threshold(ThresholdKind.PUBLISHED), published_codes=NOT_IMPROVED_TOO),
    "proxies too": by(replace(DEFAULT_RULES, respondents=frozenset(Respondent))),
    "look-back 30": by(replace(DEFAULT_RULES, look_back_days=30)),
    "window 14-183": by(replace(DEFAULT_RULES, follow_up_from_days=14, follow_up_to_days=183)),
    "odi only": by(replace(DEFAULT_RULES, instruments=("odi",))),
    "lefs first": by(replace(DEFAULT_RULES, instruments=_in_order("lefs", "nprs"))),
    "lefs first, G9605": replace(
        by(replace(DEFAULT_RULES, instruments=_in_order("lefs", "nprs"))), published_codes=NOT_IMPROVED_TOO
    ),
    "SNOMED CT too": by(replace(DEFAULT_RULES, qualifying=CodeSet(["HCPCS:*", "SNOMED-CT:91251008"]))),
    "veins": replace(DEFAULT, programs=(_VEINS,)),
    "veins, all three": replace(DEFAULT, programs=(_VEINS,), published_codes=ALL_CODES),
}
