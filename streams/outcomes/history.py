"""The outcomes of every episode that the workers know, from the changelog."""

from datetime import date
from functools import partial

from streams.domain.policy import Policy
from streams.instruments.registry import load_registry
from streams.kafka.sealing import sealing
from streams.outcomes.outcome import outcomes_of
from streams.outcomes.tally import Tally
from streams.policies.policy_loading import load_policy
from streams.processing.topology import Topology
from streams.replay.changelog_study import ChangelogStudy, KnownEpisodes
from streams.replay.replaying import OnProgress, Ranges, replay
from streams.settings import Settings


def tally_outcomes(
    settings: Settings, ranges: Ranges, since: date | None, until: date | None, *, on_progress: OnProgress
) -> Tally:
    """Count the outcomes of every episode of the changelog, as the policy of *settings* judges them.

    Args:
        settings: Where the brokers are, and the policy.
        ranges: The changelog.
        since: Only follow-ups from this date on.
        until: Only follow-ups before this date.
        on_progress: Told how far it has come.

    Raises:
        EncryptionError: An episode is sealed, and cannot be opened.
        EpisodeFormatError: One was written by another version.
    """
    whole = Tally()
    for part in replay(partial(_study, settings, since, until), settings, ranges, on_progress=on_progress):
        whole += part
    return whole


def _study(settings: Settings, since: date | None, until: date | None) -> ChangelogStudy[Tally]:
    topology = Topology(settings.app_id, settings.topic_prefix)
    policy = load_policy(settings.policy, load_registry())
    return ChangelogStudy(sealing(settings, topology), partial(_tallied, policy, since, until))


def _tallied(policy: Policy, since: date | None, until: date | None, known: KnownEpisodes) -> Tally:
    tally = Tally()
    for _, coded in known:
        tally.take(outcomes_of(coded.episode, policy), since=since, until=until)
    return tally
