"""History under two policies: every episode that the workers know, from the changelog."""

from functools import partial
from pathlib import Path

from streams.domain.policy import Policy
from streams.instruments.registry import load_registry
from streams.kafka.sealing import sealing
from streams.policies.policy_loading import load_policy
from streams.policy_comparison.comparison import PolicyComparison
from streams.processing.topology import Topology
from streams.replay.changelog_study import ChangelogStudy, KnownEpisodes
from streams.replay.replaying import OnProgress, Ranges, replay
from streams.settings import Settings


def compare_policies(  # noqa: PLR0913 - two policies, and all that they are compared on
    settings: Settings, ranges: Ranges, before: Path | None, after: Path, *, as_of_ms: int, on_progress: OnProgress
) -> PolicyComparison:
    """Decide every episode of the changelog by two policies.

    Args:
        settings: Where the brokers are.
        ranges: The changelog.
        before: The file of the one policy; the built-in one where None.
        after: That of the other.
        as_of_ms: Unix time in milliseconds: windows that ended before have closed.
        on_progress: Told how far it has come.

    Raises:
        PolicyRefusedError: A file is no policy.
        EncryptionError: An episode is sealed, and cannot be opened.
        EpisodeFormatError: One was written by another version.
    """
    whole = PolicyComparison()
    for part in replay(partial(_study, settings, before, after, as_of_ms), settings, ranges, on_progress=on_progress):
        whole += part
    return whole


def _study(settings: Settings, before: Path | None, after: Path, as_of_ms: int) -> ChangelogStudy[PolicyComparison]:
    topology = Topology(settings.app_id, settings.topic_prefix)
    registry = load_registry()
    policies = load_policy(before, registry), load_policy(after, registry)
    return ChangelogStudy(sealing(settings, topology), partial(_compared, *policies, as_of_ms))


def _compared(before: Policy, after: Policy, as_of_ms: int, known: KnownEpisodes) -> PolicyComparison:
    comparison = PolicyComparison()
    for episode_id, coded in known:
        comparison.take(episode_id, coded, before, after, as_of_ms=as_of_ms)
    return comparison
