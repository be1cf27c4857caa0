"""Which rules a policy file means: TOML in, the domain's ``Policy`` out, or every fault in a sentence."""

import tomllib
from importlib import resources
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from streams.domain.code_set import CodeSet
from streams.domain.instrument import InstrumentRegistry
from streams.domain.policy import PayerRule, Policy, Program, Rules, Threshold
from streams.policies.policy_faults import faults_between_tables, faults_of_fields
from streams.policies.policy_file import (
    ImprovementTable,
    OtherPayerTable,
    PayerTable,
    PolicyFile,
    PolicyRefusedError,
    ProgramTable,
    RuleTables,
)
from streams.policies.policy_values import EVERY_INSTRUMENT

BUILT_IN = "default.toml"
_NEED = "set G9603_POLICY to the path of a TOML policy, or leave it unset for the built-in one"


def load_policy(path: Path | None, instruments: InstrumentRegistry) -> Policy:
    """The policy in the file at *path*; the built-in one for None.

    Args:
        path: A TOML file in the format of ``streams/policies/README.md``.
        instruments: The registry that the policy's instruments are looked up in.

    Raises:
        PolicyRefusedError: The file cannot be read, or is no policy; every fault is told.
    """
    if path is None:
        built_in = resources.files("streams.policies").joinpath(BUILT_IN).read_text("utf-8")
        return parse_policy(built_in, instruments, name="The built-in policy")
    try:
        text = path.read_text("utf-8-sig")  # some editors begin a file with a mark that TOML does not know
    except OSError as error:
        raise PolicyRefusedError(str(path), [f"It cannot be read ({error.strerror}): {_NEED}."]) from error
    except UnicodeDecodeError as error:
        raise PolicyRefusedError(str(path), ["It is not UTF-8 text: save it as UTF-8."]) from error
    return parse_policy(text, instruments, name=str(path))


def parse_policy(text: str, instruments: InstrumentRegistry, *, name: str) -> Policy:
    """The policy that *text* means; *name* is what a refusal calls it.

    Raises:
        PolicyRefusedError: The text is no policy; every fault is told.
    """
    tables = _tables(text, name)
    between = list(faults_between_tables(tables))
    try:
        file = PolicyFile.model_validate(tables, context=instruments)
    except ValidationError as error:
        raise PolicyRefusedError(name, [*faults_of_fields(error, tables), *between]) from None
    if between:
        raise PolicyRefusedError(name, between)
    policy = _policy(file, instruments)
    if faults := _retention_faults(policy):
        raise PolicyRefusedError(name, faults)
    return policy


def _tables(text: str, name: str) -> dict[str, Any]:
    try:
        # Decimals stay as they are written: no binary float comes between the file and a comparison.
        return tomllib.loads(text, parse_float=str)
    except (ValueError, RecursionError) as error:  # tomllib's own is a ValueError; so is a number too long
        raise PolicyRefusedError(name, [f"It is not TOML: {error}."]) from error


def _policy(file: PolicyFile, registry: InstrumentRegistry) -> Policy:
    rules = _rules(file, _in_order(file.surveys.instruments, registry))
    return Policy(
        id=file.id,
        version=file.version,
        description=file.description,
        published_codes=file.published_codes,
        rules=rules,
        programs=tuple(_program(program, file, rules, registry) for program in file.programs),
        payers=tuple(_payer_rule(payer) for payer in file.payers),
        other_payer=_other_payer_rule(file.other_payer),
        instruments=registry,
        retention_days=file.retention_days,
    )


def _retention_faults(policy: Policy) -> list[str]:
    """Why *policy* would forget episodes too soon."""
    rules = (policy.rules, *(program.rules for program in policy.programs))
    least = max(rule.look_back_days + rule.follow_up_to_days for rule in rules)
    if policy.retention_days is None or policy.retention_days >= least:
        return []
    fault = (
        f"retention_days: after {policy.retention_days} days an episode would be forgotten that a follow-up may still "
        f"come for: write {least} or more, the longest look-back and window together."
    )
    return [fault]


def _in_order(names: tuple[str, ...], registry: InstrumentRegistry) -> tuple[str, ...]:
    """*names*, with the rest of the registry in the place of ``*``."""
    if EVERY_INSTRUMENT not in names:
        return names
    place = names.index(EVERY_INSTRUMENT)
    rest = tuple(instrument for instrument in registry if instrument not in names)
    return names[:place] + rest + names[place + 1 :]


def _rules(tables: RuleTables, instruments: tuple[str, ...]) -> Rules:
    return Rules(
        look_back_days=tables.baseline.look_back_days,
        follow_up_from_days=tables.follow_up.from_days,
        follow_up_to_days=tables.follow_up.to_days,
        threshold=_threshold(tables.improvement),
        respondents=tables.surveys.respondents,
        instruments=instruments,
        qualifying=CodeSet(tables.treatments.qualifying),
        excluded=CodeSet(tables.treatments.excluded),
    )


def _threshold(table: ImprovementTable) -> Threshold:
    return Threshold(table.threshold) if table.value is None else Threshold(table.threshold, table.value)


def _program(program: ProgramTable, file: PolicyFile, policy: Rules, registry: InstrumentRegistry) -> Program:
    """*program*, its rules being those of *file* but for what it states."""
    named = program.applies_to.instruments
    if "instruments" in program.surveys.model_fields_set:
        instruments = _in_order(program.surveys.instruments, registry)
    else:  # to apply to an instrument is to admit it
        admitted = tuple(instrument for instrument in named if instrument not in policy.instruments)
        instruments = policy.instruments + admitted
    return Program(
        id=program.id,
        instruments=frozenset(named),
        treatments=CodeSet(program.applies_to.treatments),
        rules=_rules(_narrowed(file, program), instruments),
    )


def _narrowed(file: PolicyFile, program: ProgramTable) -> RuleTables:
    """The tables of *file*, each field that *program* states put in its place."""
    tables = {}
    for name in RuleTables.model_fields:
        stated = getattr(program, name)
        tables[name] = getattr(file, name).model_copy(
            update={field: getattr(stated, field) for field in stated.model_fields_set}
        )
    if program.improvement.model_fields_set:  # a threshold and its value are one rule, and replaced together
        tables["improvement"] = program.improvement
    return RuleTables(**tables)


def _payer_rule(payer: PayerTable) -> PayerRule:
    return PayerRule(
        id=payer.id,
        name=payer.name,
        matches=frozenset(name.strip().lower() for name in (payer.id, payer.name, *payer.matches)),
        channel=payer.channel,
        charge=payer.charge,
        modifiers=payer.modifiers,
        filing_limit_days=payer.filing_limit_days,
    )


def _other_payer_rule(other: OtherPayerTable) -> PayerRule:
    return PayerRule(
        id="other",
        name="Any other payer",
        matches=frozenset(),
        channel=other.channel,
        charge=other.charge,
        modifiers=(),
        filing_limit_days=None,
    )
