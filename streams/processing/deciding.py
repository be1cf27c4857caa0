"""An episode as it is kept, decided with what has arrived for it: only as much of it is read as must be."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from streams.domain.coder import CodedEpisode, advance, decided
from streams.domain.decision import Coded, NotCoded
from streams.domain.patient_merge import survivors_among
from streams.domain.policy import Policy
from streams.processing.stored_episode import EncodedArrival, decode_episode, encode_episode, grown

_NEW = CodedEpisode()


class DecidedEpisode(NamedTuple):
    """An episode after a decision."""

    value: bytes
    decision: Coded | NotCoded | None
    """None where the arrivals said nothing new."""
    event: dict[str, Any] | None
    """What billing is to be told."""


def decided_episode(  # noqa: PLR0913 - all that a decision rests on
    stored: bytes | None,
    arrived: Sequence[EncodedArrival],
    *,
    episode_id: str,
    policy: Policy,
    as_of_ms: int,
    survivors: Mapping[str, str],
) -> DecidedEpisode:
    """The episode in *stored* with what has *arrived*, decided.

    Args:
        stored: None where there is none.
        arrived: Empty where only time has passed, or patients were merged.
        episode_id: The episode.
        policy: The rules.
        as_of_ms: What time it is.
        survivors: By the id of a patient who was merged into another: that one.
    """
    episode = grown(stored, arrived)
    if episode is None:
        before = decode_episode(stored) if stored is not None else _NEW
        arrivals = [arrival.decoded() for arrival in arrived]
        step = advance(before, arrivals, episode_id=episode_id, policy=policy, as_of_ms=as_of_ms, survivors=survivors)
        if stored is not None and not step.changed:
            return DecidedEpisode(stored, None, None)
        return DecidedEpisode(encode_episode(step.after), step.decision, step.event)
    decision, posting = decided(
        episode.facts,
        episode.ledger,
        episode_id=episode_id,
        newest_timestamp_ms=episode.newest_timestamp_ms,
        policy=policy,
        as_of_ms=as_of_ms,
        survivors=survivors,
    )
    value = episode.with_ledger(posting.ledger, survivors_among(episode.facts, survivors))
    return DecidedEpisode(value, decision, posting.event)
