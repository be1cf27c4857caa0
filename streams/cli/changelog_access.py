"""The changelog for commands that read all of it."""

from streams.cli.console import err
from streams.kafka.connection import connection_options
from streams.kafka.granted_rights import ensure_rights
from streams.kafka.provisioning import ensure_topics
from streams.processing.access import Role, rights_of
from streams.processing.topology import Topology
from streams.replay.changelog_study import changelog_ranges
from streams.replay.replaying import Ranges
from streams.settings import Settings


async def changelog_of(settings: Settings) -> Ranges:
    """What there is to read, after looking whether we may.

    Raises:
        AccessDeniedError: A right is missing.
        BrokerUnreachableError: No broker answers.
        TopicsMissingError: There is no changelog.
    """
    connection, topology = connection_options(settings), Topology(settings.app_id, settings.topic_prefix)
    with err.status("looking for the brokers"):
        await ensure_rights(connection, rights_of(Role.EXPLAINER, topology))
        await ensure_topics(connection, [topology.episodes_changelog])
        return await changelog_ranges(connection, topology)
