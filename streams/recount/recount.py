"""Reads the topics and holds the outcome against the expectation."""

from collections.abc import Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from streams.domain.policy import Policy
from streams.instruments.registry import load_registry
from streams.kafka.sealing import Sealing, sealing
from streams.policies.policy_loading import load_policy
from streams.processing.topology import Topology
from streams.recount.comparison import Recount
from streams.recount.extent import Extent, extent_of
from streams.recount.recount_study import RecountStudy
from streams.replay.replaying import OnProgress, replay, replay_here
from streams.settings import Settings


async def recount(
    connection: Mapping[str, Any],
    topology: Topology,
    policy: Policy,
    *,
    sealing: Sealing | None = None,
    on_progress: OnProgress = lambda _: None,
) -> Recount:
    """Recount everything from the start of the topics, in this process; the workers have read all of it.

    Args:
        connection: Options of an aiokafka client.
        topology: The application's topics.
        policy: The policy that the workers worked by.
        sealing: Opens what was sealed; may be left out where nothing is.
        on_progress: Told how far it has come.

    Raises:
        EncryptionError: A dead letter is sealed, and cannot be opened.
    """
    extent = await extent_of(connection, topology)
    study = RecountStudy(topology, extent, sealing or Sealing(None, topology), (policy,))
    return _summed(await replay_here(study, connection, extent.ranges, on_progress=on_progress))


def recount_in_processes(
    settings: Settings,
    extent: Extent,
    earlier_policies: tuple[Path, ...] = (),
    *,
    processes: int | None = None,
    on_progress: OnProgress = lambda _: None,
) -> Recount:
    """Recount *extent*, in memory that does not grow with it.

    Args:
        settings: Where the brokers are, and by which policy the workers decide now.
        extent: What there is to recount.
        earlier_policies: Files of policies that they decided by before: a code as one of these decides may stand.
        processes: How many to work in; as many as there are processors where None.
        on_progress: Told how far it has come.

    Raises:
        EncryptionError: A dead letter is sealed, and cannot be opened.
    """
    study_maker = partial(_study, settings, extent, (settings.policy, *earlier_policies))
    return _summed(replay(study_maker, settings, extent.ranges, processes=processes, on_progress=on_progress))


def _study(settings: Settings, extent: Extent, policies: tuple[Path | None, ...]) -> RecountStudy:
    topology = Topology(settings.app_id, settings.topic_prefix)
    registry = load_registry()
    loaded = tuple(load_policy(policy, registry) for policy in policies)
    return RecountStudy(topology, extent, sealing(settings, topology), loaded)


def _summed(parts: Iterable[Recount]) -> Recount:
    whole = Recount()
    for part in parts:
        whole += part
    return whole
