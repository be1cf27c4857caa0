"""One episode taken a step further: facts in, coding events out. The worker is this, per partition."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import msgspec

from streams.domain.coding import coding_of
from streams.domain.decision import Coded, NotCoded, decide
from streams.domain.episode import Arrival, Episode
from streams.domain.ledger import Ledger
from streams.domain.policy import Policy


class CodedEpisode(msgspec.Struct, frozen=True, array_like=True):
    """All that is kept of one episode: what is known, and what billing was told."""

    episode: Episode = Episode()
    ledger: Ledger = Ledger()


class Step(NamedTuple):
    """An episode after some arrivals."""

    after: CodedEpisode
    changed: bool
    """False where the arrivals said nothing new: there is nothing to store and nothing to tell."""
    decision: Coded | NotCoded | None
    """The decision, where it was made anew."""
    event: dict[str, Any] | None = None
    """What billing is to be told, as JSON values; at most one event a step."""


def advance(before: CodedEpisode, arrivals: Sequence[Arrival], *, episode_id: str, policy: Policy) -> Step:
    """Take *arrivals* into the episode and bring its ledger up to the new decision."""
    episode = before.episode.with_arrivals(arrivals)
    if episode is before.episode:
        return Step(before, changed=False, decision=None)
    if episode.facts is before.episode.facts:
        # Only seen again, at a later time: the decision is a function of the facts, and stands.
        return Step(CodedEpisode(episode, before.ledger), changed=True, decision=None)
    decision = decide(episode.facts, policy)
    coding = coding_of(decision, policy) if isinstance(decision, Coded) else None
    posting = before.ledger.brought_to(coding, episode_id=episode_id, decided_at_ms=episode.newest_timestamp_ms)
    return Step(CodedEpisode(episode, posting.ledger), changed=True, decision=decision, event=posting.event)
