"""What a policy means, in plain sentences for a coder or a compliance officer.

The sentences are made from the rules that decide, not from the file: what they say is what happens.
"""

from collections.abc import Collection, Iterable, Sequence

from schemas.vocabulary import Channel, QualityDataCode, Respondent, TreatmentCodeSystem
from streams.domain.code_set import CodeSet
from streams.domain.coding import decimal_text
from streams.domain.instrument import Instrument
from streams.domain.policy import PayerRule, Policy, Program, Rules, ThresholdKind
from streams.policies.policy_warnings import policy_warnings

_OUTCOMES = {
    QualityDataCode.SCORE_IMPROVED: "at the earliest follow-up that improved",
    QualityDataCode.SCORE_NOT_IMPROVED: "at the latest follow-up where none improved",
    QualityDataCode.RESULTS_NOT_AVAILABLE: "where no follow-up came",
}
_COMPARISON = (
    "Comparison: only surveys on the same instrument in the same version are compared; where follow-ups on two "
    "instruments tie, the instrument named first counts."
)
_RESPONDENTS = {
    frozenset({Respondent.PATIENT}): "surveys count that the patient answered, not a proxy",
    frozenset({Respondent.PROXY}): "surveys count that a proxy answered, not the patient",
    frozenset(Respondent): "surveys count whether the patient or a proxy answered",
}
_CODE_SYSTEMS = {TreatmentCodeSystem.HCPCS: "CPT or HCPCS", TreatmentCodeSystem.SNOMED_CT: "SNOMED CT"}
_CHANNELS = {
    Channel.CLAIM: "goes on a claim line",
    Channel.REGISTRY: "goes to the registry, and on no claim",
    Channel.BOTH: "goes on a claim line and to the registry",
    Channel.HOLD: "is held until a person decides",
}


def explain_policy(policy: Policy) -> list[str]:
    """What *policy* means, a sentence or two to a line; warnings come last, and begin with ``Warning:``."""
    return [
        f"Policy {policy.id}, version {policy.version}. {policy.description}".strip(),
        f"Published, at most one for an episode: {_published(policy)}.",
        *_rules(policy.rules, policy.instruments, policy),
        _COMPARISON,
        *_time(policy),
        *(_payer(payer) for payer in policy.payers),
        f"Any other payer, or none known: the code {_terms(policy.other_payer)}.",
        *(sentence for program in policy.programs for sentence in _program(program, policy)),
        *(f"Warning: {warning}" for warning in policy_warnings(policy)),
    ]


def _published(policy: Policy) -> str:
    told = [f"{code} {when}" for code, when in _OUTCOMES.items() if code in policy.published_codes]
    kept = [f"{code} {when}" for code, when in _OUTCOMES.items() if code not in policy.published_codes]
    return f"{_listed(told, 'and')}; not published: {_listed(kept, 'and') or 'none'}"


def _time(policy: Policy) -> list[str]:
    """What only the passing of time brings about."""
    told = []
    if policy.closes_windows:
        told.append(
            "No follow-up: G9604 is told when the window after the last qualifying treatment has closed for every "
            "instrument with a baseline, by the brokers' clocks; a follow-up that is sent later replaces it or takes "
            "it back."
        )
    if policy.retention_days is not None:
        told.append(
            f"Retention: an episode of which nothing was heard for {policy.retention_days} days is forgotten; its code "
            "stands, and what comes for it later is a dead letter."
        )
    return told


def _rules(rules: Rules, scope: Collection[str], policy: Policy) -> list[str]:
    """One sentence for each rule, always in the same order, as far as it concerns the instruments in *scope*."""
    instruments = _in_order((name for name in rules.instruments if name in scope), policy)
    window = f"{rules.follow_up_from_days} to {rules.follow_up_to_days} days"
    baseline = (
        f"the latest valid survey (complete, and not entered in error) at or before the anchor, at most "
        f"{rules.look_back_days} days before it; the anchor is the earliest qualifying treatment that has one"
    )
    return [
        f"Baseline: {baseline}.",
        f"Follow-up: a valid survey after the anchor, {window} after the last qualifying treatment before it.",
        f"Improved: {_improved(rules, [policy.instruments[name] for name in instruments])}.",
        f"Respondents: {_RESPONDENTS[rules.respondents]}.",
        f"Treatments: {_treatments(rules)}.",
        f"Instruments: {', '.join(instruments) or 'none'}.",
    ]


def _in_order(instruments: Iterable[str], policy: Policy) -> list[str]:
    """*instruments* as ties are settled: in the policy's order, and those that it does not name by id."""
    return sorted(instruments, key=lambda name: (policy.precedence(name), name))


def _improved(rules: Rules, instruments: Sequence[Instrument]) -> str:
    value = decimal_text(rules.threshold.value)
    match rules.threshold.kind:
        case ThresholdKind.ANY:
            return "any change for the better, however small; an unchanged score is not improved"
        case ThresholdKind.POINTS:
            return f"a change for the better of {value} points or more"
        case ThresholdKind.PERCENT:
            return f"a change for the better of {value} percent of the baseline or more"
        case ThresholdKind.PUBLISHED:
            changes = ", ".join(_published_change(instrument) for instrument in instruments)
            return f"a change for the better at least as large as the published one: {changes or 'none'}"


def _published_change(instrument: Instrument) -> str:
    change = instrument.published_change
    if change is None:
        return f"{instrument.id} has none"
    unverified = " (unverified)" if "unverified" in change.reference else ""
    if change.points is not None:
        return f"{instrument.id} {decimal_text(change.points)} points{unverified}"
    return f"{instrument.id} {change.percent_of_baseline} percent of the baseline{unverified}"


def _treatments(rules: Rules) -> str:
    excluded = f", but not after {_codes(rules.excluded)}" if rules.excluded.patterns else ""
    return f"a follow-up counts after {_codes(rules.qualifying)}{excluded}"


def _codes(codes: CodeSet) -> str:
    """The patterns by system; what ``*`` takes in already goes without saying."""
    groups = []
    for system, name in _CODE_SYSTEMS.items():
        patterns = [pattern.split(":")[1] for pattern in codes.patterns if pattern.startswith(f"{system}:")]
        if "*" in patterns:
            groups.append(f"any {name} code")
        elif patterns:
            groups.append(f"{name} {_listed([_code(pattern) for pattern in patterns], 'or')}")
    return " or ".join(groups)


def _code(pattern: str) -> str:
    any_digit = " (n is any digit)" if "n" in pattern else ""
    return f"{pattern.replace('-', ' to ')}{any_digit}"


def _payer(payer: PayerRule) -> str:
    names = ", ".join(sorted(payer.matches))
    limit = payer.filing_limit_days
    filing = (
        "no filing limit is stated"
        if limit is None
        else f"what is decided more than {limit} days after the service date is flagged as past the filing limit"
    )
    return f"Payer {payer.name} (payer_id {names}): the code {_terms(payer)}; {filing}."


def _terms(payer: PayerRule) -> str:
    modifiers = f"with {_listed(payer.modifiers, 'and')}" if payer.modifiers else "without modifiers"
    return f"{_CHANNELS[payer.channel]}, charge {payer.charge} USD, {modifiers}"


def _program(program: Program, policy: Policy) -> list[str]:
    """When *program* applies, and those of its rules that are not the policy's."""
    surveys = _listed(_in_order(program.instruments, policy), "or") or "any instrument"
    episodes = f", in episodes with {_codes(program.treatments)}" if program.treatments.patterns else ""
    scope = program.instruments or policy.instruments
    narrowed, usual = _rules(program.rules, scope, policy), _rules(policy.rules, scope, policy)
    differing = [sentence for sentence, other in zip(narrowed, usual, strict=True) if sentence != other]
    applies = f"Program {program.id} applies to surveys on {surveys}{episodes}"
    if not differing:
        return [f"{applies}. Its rules are the policy's."]
    return [
        f"{applies}. There:",
        *(f"Program {program.id}, {sentence[0].lower()}{sentence[1:]}" for sentence in differing),
    ]


def _listed(words: Sequence[str], conjunction: str) -> str:
    *first, last = words or [""]
    return f"{', '.join(first)} {conjunction} {last}" if first else last
