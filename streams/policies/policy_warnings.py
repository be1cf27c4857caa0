"""What in a policy is allowed and yet hardly meant: rules that can never come true, codes that are not held."""

from collections.abc import Collection, Iterator, Sequence

from schemas.vocabulary import Channel, QualityDataCode, TreatmentCodeSystem
from streams.domain.code_set import CodeSet
from streams.domain.instrument import Instrument
from streams.domain.policy import Policy, Program, Rules, Threshold, ThresholdKind


def policy_warnings(policy: Policy) -> list[str]:
    """What a person should look at before *policy* is worked by, a sentence each; empty where all is well."""
    left_over = set(policy.instruments).difference(
        *(program.instruments for program in policy.programs if not program.treatments.patterns)
    )
    own = list(_about_rules(policy.rules, left_over, policy))
    return [
        *_about_payers(policy),
        *own,
        *(
            f"in program {program.id}, {warning}"
            for place, program in enumerate(policy.programs)
            for warning in _about_program(program, policy.programs[:place], policy)
            if warning not in own
        ),
    ]


def _about_payers(policy: Policy) -> Iterator[str]:
    if policy.other_payer.channel is not Channel.HOLD:
        yield (
            "a payer that this policy does not name, or that nobody told, is not held: its codes go out by a rule "
            "that was made for no payer in particular."
        )
    elif all(payer.channel is Channel.HOLD for payer in policy.payers):
        yield "every code is held, since no payer has another channel."


def _about_program(program: Program, earlier: Sequence[Program], policy: Policy) -> Iterator[str]:
    for before in earlier:
        if _takes_all_of(before, program):
            yield f"nothing is ever decided, since program {before.id} above it takes all of it."
            return
    scope = program.instruments or policy.instruments
    if not any(name in scope for name in program.rules.instruments):
        yield "no survey counts, since it takes other instruments than it applies to."
    yield from _about_rules(program.rules, scope, policy)


def _about_rules(rules: Rules, scope: Collection[str], policy: Policy) -> Iterator[str]:
    """What cannot come true under *rules*, which decide on the instruments in *scope*."""
    instruments = [policy.instruments[name] for name in rules.instruments if name in scope]
    never = [instrument.id for instrument in instruments if _cannot_improve(instrument, rules.threshold)]
    if never:
        published = rules.threshold.kind is ThresholdKind.PUBLISHED
        why = "no change is published for it" if published else "the threshold is wider than its scale"
        told = QualityDataCode.SCORE_NOT_IMPROVED in policy.published_codes
        outcome = ", and its follow-ups are coded G9605 whatever their score" if told else ""
        yield f"no survey on {', '.join(never)} can improve, since {why}{outcome}."
    if _within(rules.qualifying, rules.excluded):
        yield "no treatment can qualify, since all that qualifies is excluded as well."


def _cannot_improve(instrument: Instrument, threshold: Threshold) -> bool:
    match threshold.kind:
        case ThresholdKind.PUBLISHED:
            return instrument.published_change is None
        case ThresholdKind.POINTS:
            return threshold.value > instrument.score_max - instrument.score_min
        case _:
            return False


def _takes_all_of(earlier: Program, later: Program) -> bool:
    """Whether *earlier* applies wherever *later* does, as far as the patterns show it."""
    if earlier.instruments and not (later.instruments and later.instruments <= earlier.instruments):
        return False
    if not earlier.treatments.patterns:
        return True
    return bool(later.treatments.patterns) and _within(later.treatments, earlier.treatments)


def _within(inner: CodeSet, outer: CodeSet) -> bool:
    """Whether *outer* has every code of *inner*, as far as the patterns show it."""
    return all(_covers(outer, *pattern.split(":")) for pattern in inner.patterns)


def _covers(codes: CodeSet, system: str, body: str) -> bool:
    if f"{system}:*" in codes.patterns or f"{system}:{body}" in codes.patterns:
        return True
    return "n" not in body and codes.matches(TreatmentCodeSystem(system), body)  # n is any digit, and no letter
