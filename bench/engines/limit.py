"""What is left if nothing is done with the records: as many bytes in and out, in transactions."""

import sys
from collections.abc import Callable

from bench.engines.engine import Launch, Run
from bench.engines.peer_environment import codes_topic, peer_environment
from streams.processing.topology import TopicSpecification

STATE_BYTES = 490
"""What this worker writes to its changelog for a record, on average, over 300,000 records spread."""
CODE_BYTES = 1_180
"""What one of its coding events has, with headers."""


class Limit:
    """The program of ``limit_app.py``."""

    name = family = "limit"
    event_count_max = None
    has_state = False
    events_per_second_expected = 150_000

    def prepare(self, on_progress: Callable[[str], None]) -> None:
        """It comes with this project."""

    def launch(self, run: Run) -> Launch:
        """It decides nothing: a fixed share of the records goes out."""
        codes = codes_topic(run)
        state = TopicSpecification(f"{run.id}-state", "internal: bytes", {"cleanup.policy": "compact"})
        return Launch(
            command=[sys.executable, "-m", "bench.engines.limit_app"],
            environment=peer_environment(
                run, state=state.name, state_bytes=STATE_BYTES, code_bytes=CODE_BYTES, code_share=run.code_share
            ),
            group_id=run.id,
            topics=[codes, state],
            output_topic=codes.name,
            state_topic=state.name,
            decides=False,
        )
