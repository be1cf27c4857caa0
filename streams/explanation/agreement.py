"""Whether billing holds what would be decided now, and if not, how the two came apart."""

from dataclasses import dataclass
from typing import Any

from schemas.vocabulary import CodingAction
from streams.domain.coding import Coding, content
from streams.domain.ledger import Ledger
from streams.domain.policy import Policy

_NEXT = "The next new fact of the episode brings billing up to date."


@dataclass(frozen=True, slots=True)
class Agreement:
    """The ledger held against the decision made now."""

    agrees: bool
    sentence: str
    differs_in: tuple[str, ...] = ()
    """The fields of a coding event that are not the same; empty where one of the two holds no code."""

    def as_json(self) -> dict[str, Any]:
        """The same as JSON values."""
        return {"agrees": self.agrees, "differs_in": list(self.differs_in), "sentence": self.sentence}


def agreement(ledger: Ledger, decided: Coding | None, policy: Policy) -> Agreement:
    """Hold *ledger* against what was *decided* from the same facts by *policy*.

    The worker brings the ledger up to each decision, so the two differ only where it worked by another policy.
    """
    held = ledger.active
    if held == decided:
        return Agreement(agrees=True, sentence=_agreeing(ledger))
    differs_in = _differences(held, decided) if held is not None and decided is not None else ()
    sentence = f"{_differing(held, decided, differs_in)} {_cause(ledger, policy)} {_NEXT}"
    return Agreement(agrees=False, sentence=sentence, differs_in=differs_in)


def _agreeing(ledger: Ledger) -> str:
    if ledger.active is not None:
        return "Billing holds what is decided now."
    if ledger.entries:
        return "Billing was told to take the code back, and holds none: as decided now."
    return "Billing was told nothing, and there is nothing to tell."


def _differing(held: Coding | None, decided: Coding | None, differs_in: tuple[str, ...]) -> str:
    if held is not None and decided is not None:
        return f"Billing holds {held.code} with other content than is decided now ({', '.join(differs_in)})."
    if held is not None:
        return f"Billing holds {held.code}, but the episode is not coded by the policy as it is now."
    earned = decided.code if decided is not None else "a code"
    return f"Billing holds no code, but the episode earns {earned} by the policy as it is now."


def _cause(ledger: Ledger, policy: Policy) -> str:
    told_by = ledger.entries[-1].coding.policy if ledger.entries else None
    if told_by is None or told_by == (policy.id, policy.version):
        return (
            f"The worker did not decide by this {policy.id} {policy.version}: the policy changed since, "
            "or G9603_POLICY is not the worker's."
        )
    return f"Billing was last told by policy {' '.join(told_by)}, and now it is {policy.id} {policy.version}."


def _differences(held: Coding, decided: Coding) -> tuple[str, ...]:
    # Compared in the words of the contract; the episode is the same, and the action is no part of a coding.
    told, now = (content(coding, "", CodingAction.REPLACE) for coding in (held, decided))
    return tuple(name for name in told if told[name] != now[name])
