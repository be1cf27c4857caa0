"""This project's worker, as a supervisor would start it."""

import sys
from collections.abc import Callable
from dataclasses import dataclass

from bench.engines.engine import Launch, Run
from streams.processing.changelog import is_episode_key
from streams.processing.topology import Topology
from streams.settings import PREFIX


@dataclass(frozen=True, slots=True)
class ThisWorker:
    """``g9603 worker``: everything on, nothing tuned for the bench."""

    process_count: int = 1
    family = "this-worker"
    event_count_max = None
    has_state = True
    events_per_second_expected = 45_000

    @property
    def name(self) -> str:
        """With the number of processes, if there are more."""
        return self.family if self.process_count == 1 else f"{self.family}-{self.process_count}"

    def prepare(self, on_progress: Callable[[str], None]) -> None:
        """It is here."""

    def launch(self, run: Run) -> Launch:
        """Workers with the built-in policy; each takes a slot of its own in the data folder."""
        topology = Topology(run.id, run.topic_prefix)
        return Launch(
            command=[sys.executable, "-m", "streams", "worker"],
            environment={
                f"{PREFIX}BOOTSTRAP_SERVERS": run.bootstrap_servers,
                f"{PREFIX}APP_ID": run.id,
                f"{PREFIX}TOPIC_PREFIX": run.topic_prefix,
                f"{PREFIX}DATA_DIR": str(run.local_folder),
                f"{PREFIX}WEB_PORT": "0",
            },
            process_count=self.process_count,
            group_id=run.id,
            topics=topology.specifications,
            output_topic=topology.coding_events,
            state_topic=topology.episodes_changelog,
            is_episode=is_episode_key,
        )
