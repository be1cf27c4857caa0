"""This project's worker, as a supervisor would start it."""

import sys

from bench.engines.engine import Launch, Run
from streams.processing.changelog import is_episode_key
from streams.processing.topology import Topology
from streams.settings import PREFIX


class ThisWorker:
    """``g9603 worker``: everything on, nothing tuned for the bench."""

    name = "this-worker"
    description = "exactly once (transactions), pydantic validation, full decision, changelog"
    event_count_max = None

    def launch(self, run: Run) -> Launch:
        """A worker with the built-in policy."""
        topology = Topology(run.id, run.topic_prefix)
        return Launch(
            command=[sys.executable, "-m", "streams", "worker"],
            environment={
                f"{PREFIX}BOOTSTRAP_SERVERS": run.bootstrap_servers,
                f"{PREFIX}APP_ID": run.id,
                f"{PREFIX}TOPIC_PREFIX": run.topic_prefix,
                f"{PREFIX}DATA_DIR": str(run.folder),
                f"{PREFIX}WEB_PORT": "0",
            },
            group_id=run.id,
            topics=topology.specifications,
            output_topic=topology.coding_events,
            state_topic=topology.episodes_changelog,
            is_episode=is_episode_key,
        )
