"""One episode taken a step further: facts in, coding events out. The worker is this, per partition."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import msgspec

from streams.domain.coding import coding_of
from streams.domain.decision import Coded, NotCoded, decide
from streams.domain.episode import Arrival, Episode
from streams.domain.fact import Fact
from streams.domain.ledger import Ledger, Posting
from streams.domain.patient_merge import NOBODY_MERGED, survivors_among
from streams.domain.policy import Policy


class CodedEpisode(msgspec.Struct, frozen=True, array_like=True):
    """All that is kept of one episode: what is known, and what billing was told."""

    episode: Episode = Episode()
    ledger: Ledger = Ledger()
    survivors: tuple[tuple[str, str], ...] = ()
    """For each patient of the facts who was merged into another: that one."""


class Step(NamedTuple):
    """An episode after some arrivals."""

    after: CodedEpisode
    changed: bool
    """False where the arrivals said nothing new: there is nothing to store and nothing to tell."""
    decision: Coded | NotCoded | None
    """The decision, where it was made anew."""
    event: dict[str, Any] | None = None
    """What billing is to be told, as JSON values; at most one event a step."""


def may_be_coded(survey_count: int, treatment_count: int, policy: Policy) -> bool:
    """Whether so many facts could earn a code; where they could not, there is nothing to decide.

    A baseline is at or before the anchor and a follow-up after it (contract.md, "What is decided"), so they are two
    surveys about a treatment; one, where it is coded that no follow-up came. What was entered in error counts along: it
    may be superseded, and never adds one.
    """
    return survey_count >= policy.surveys_needed and treatment_count > 0


def advance(  # noqa: PLR0913 - all that a decision rests on
    before: CodedEpisode,
    arrivals: Sequence[Arrival],
    *,
    episode_id: str,
    policy: Policy,
    as_of_ms: int = 0,
    survivors: Mapping[str, str] = NOBODY_MERGED,
) -> Step:
    """Take *arrivals* into the episode and bring its ledger up to the new decision; the rest is as in `decided`."""
    episode = before.episode.with_arrivals(arrivals)
    known = survivors_among(episode.facts, survivors)
    if known == before.survivors:
        if episode is before.episode:
            return Step(before, changed=False, decision=None)
        if episode.facts is before.episode.facts:
            # Only seen again, at a later time: the decision is a function of the facts, and stands.
            return Step(CodedEpisode(episode, before.ledger, known), changed=True, decision=None)
    decision, posting = decided(
        episode.facts,
        before.ledger,
        episode_id=episode_id,
        newest_timestamp_ms=episode.newest_timestamp_ms,
        policy=policy,
        as_of_ms=as_of_ms,
        survivors=survivors,
    )
    return Step(CodedEpisode(episode, posting.ledger, known), changed=True, decision=decision, event=posting.event)


def decided(  # noqa: PLR0913 - all that a decision, and its place in the ledger, depends on
    facts: Iterable[Fact],
    ledger: Ledger,
    *,
    episode_id: str,
    newest_timestamp_ms: int,
    policy: Policy,
    as_of_ms: int = 0,
    survivors: Mapping[str, str] = NOBODY_MERGED,
) -> tuple[Coded | NotCoded, Posting]:
    """The decision on *facts*, and *ledger* brought up to it.

    Args:
        facts: Of the episode; their order does not matter.
        ledger: What billing was told of it.
        episode_id: The episode.
        newest_timestamp_ms: The newest Kafka timestamp among the records that brought the facts.
        policy: The rules.
        as_of_ms: The time, as `decide` has it; it is behind a decision that no follow-up came.
        survivors: By the id of a patient who was merged into another: that one.
    """
    decision = decide(facts, policy, as_of_ms)
    coding = coding_of(decision, policy, survivors) if isinstance(decision, Coded) else None
    return decision, ledger.brought_to(
        coding,
        episode_id=episode_id,
        decided_at_ms=max(newest_timestamp_ms, as_of_ms) if _is_by_time(decision) else newest_timestamp_ms,
        filing_limit_days=policy.payer_rule(coding.payer_id).filing_limit_days if coding is not None else None,
    )


def _is_by_time(decision: Coded | NotCoded) -> bool:
    return isinstance(decision, Coded) and decision.comparison is None
