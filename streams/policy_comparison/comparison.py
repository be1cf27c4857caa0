"""Two policies on one history: which codes are gained, lost or changed, and what billing would be told of a switch."""

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Self

from msgspec.structs import replace

from schemas.vocabulary import CodingAction
from streams.domain.coder import CodedEpisode
from streams.domain.coding import Coding, coding_of, content
from streams.domain.decision import Coded, decide
from streams.domain.policy import Policy

NAMED_MAX = 20
NOT_AVAILABLE = "not available"


class Difference(StrEnum):
    """What becomes of an episode's code."""

    GAINED = "gained"
    LOST = "lost"
    CHANGED = "changed"


class Dimension(StrEnum):
    """By what the differences are counted."""

    PAYER = "payer"
    PROGRAM = "program"
    INSTRUMENT = "instrument"
    SITE = "site"


@dataclass(slots=True)
class PolicyComparison:
    """Counts over some episodes, or all; two of them add up."""

    episode_count: int = 0
    before_count: int = 0
    """Codes by the first policy."""
    after_count: int = 0
    """Codes by the second."""
    differences: Counter[Difference] = field(default_factory=Counter)
    changed_fields: Counter[str] = field(default_factory=Counter)
    """In how many changed codes a field of the coding event is another; the policy's own name is not looked at."""
    by_dimension: dict[Dimension, dict[str, Counter[Difference]]] = field(default_factory=dict)
    actions: Counter[CodingAction] = field(default_factory=Counter)
    """What would be published if every episode were decided anew by the second policy."""
    renamed_count: int = 0
    """Of the replacements, those that say nothing new but the policy's name."""
    named: dict[Difference, list[str]] = field(default_factory=dict)
    """The first episodes of each kind."""

    def __iadd__(self, other: "PolicyComparison") -> Self:
        self.episode_count += other.episode_count
        self.before_count += other.before_count
        self.after_count += other.after_count
        self.differences += other.differences
        self.changed_fields += other.changed_fields
        self.actions += other.actions
        self.renamed_count += other.renamed_count
        for difference, episodes in other.named.items():
            for episode_id in episodes:
                self._name(difference, episode_id)
        for dimension, counts in other.by_dimension.items():
            own = self.by_dimension.setdefault(dimension, defaultdict(Counter))
            for value, counted in counts.items():
                own[value] += counted
        return self

    def take(self, episode_id: str, coded: CodedEpisode, before: Policy, after: Policy, *, as_of_ms: int = 0) -> None:
        """Count one episode, decided by both policies, with the windows closed that have by *as_of_ms*."""
        one, other = _coding(coded, before, as_of_ms), _coding(coded, after, as_of_ms)
        self.episode_count += 1
        self.before_count += one is not None
        self.after_count += other is not None
        self._take_difference(episode_id, one, other, (before, after))
        posting = coded.ledger.brought_to(other, episode_id=episode_id, decided_at_ms=0)
        if posting.event is not None:
            action = CodingAction(posting.event["action"])
            self.actions[action] += 1
            self.renamed_count += action is CodingAction.REPLACE and not _changed(coded.ledger.active, other)

    def _take_difference(
        self, episode_id: str, one: Coding | None, other: Coding | None, policies: tuple[Policy, Policy]
    ) -> None:
        about = other if other is not None else one
        if about is None:
            return
        if one is None or other is None:
            difference = Difference.GAINED if one is None else Difference.LOST
        else:
            changed = _changed(one, other)
            if not changed:
                return
            difference = Difference.CHANGED
            self.changed_fields.update(changed)
        self.differences[difference] += 1
        self._name(difference, episode_id)
        for dimension, value in _places(about, policies).items():
            self.by_dimension.setdefault(dimension, defaultdict(Counter))[value][difference] += 1

    def _name(self, difference: Difference, episode_id: str) -> None:
        named = self.named.setdefault(difference, [])
        if len(named) < NAMED_MAX:
            named.append(episode_id)


def _coding(coded: CodedEpisode, policy: Policy, as_of_ms: int) -> Coding | None:
    decision = decide(coded.episode.facts, policy, as_of_ms)
    return coding_of(decision, policy, dict(coded.survivors)) if isinstance(decision, Coded) else None


def _changed(one: Coding | None, other: Coding | None) -> list[str]:
    """The fields of a coding event in which two codings differ, but for the policy's name."""
    if one is None or other is None or replace(one, policy=other.policy) == other:
        return []
    told, now = (content(coding, "", CodingAction.NEW) for coding in (one, other))
    return [name for name in told if name != "policy" and told[name] != now[name]]


def _places(coding: Coding, policies: tuple[Policy, Policy]) -> dict[Dimension, str]:
    return {
        Dimension.PAYER: _payer(coding.payer_id, policies),
        Dimension.PROGRAM: coding.program or "none",
        Dimension.INSTRUMENT: coding.instrument,
        Dimension.SITE: coding.facility_id or NOT_AVAILABLE,
    }


def _payer(payer_id: str | None, policies: tuple[Policy, Policy]) -> str:
    """The name of a payer that one of the policies knows."""
    if payer_id is None:
        return NOT_AVAILABLE
    rules = [policy.payer_rule(payer_id) for policy in policies]
    known = (rule for rule, policy in zip(rules, policies, strict=True) if rule is not policy.other_payer)
    return next(known, rules[0]).name
