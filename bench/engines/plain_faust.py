"""Faust as it comes: agents and a table, at least once."""

import sys
from pathlib import Path

from bench.engines.engine import Launch, Run
from streams.processing.topology import TopicSpecification, Topology

_APP = Path(__file__).with_name("plain_faust_app.py")


class PlainFaust:
    """The program of ``plain_faust_app.py``."""

    name = "plain-faust"
    description = "at least once, faust.Record, a toy decision, a table with its changelog"
    event_count_max = 50_000

    def launch(self, run: Run) -> Launch:
        """A Faust worker; it creates the topic of its table itself."""
        inputs = Topology(topic_prefix=run.topic_prefix)
        output = f"{run.id}-codes"
        return Launch(
            command=[sys.executable, str(_APP), "worker", "--loglevel", "warn", "--without-web"],
            environment={
                "BENCH_BOOTSTRAP_SERVERS": run.bootstrap_servers,
                "BENCH_APP_ID": run.id,
                "BENCH_SURVEYS": inputs.survey_completed,
                "BENCH_TREATMENTS": inputs.treatment_recorded,
                "BENCH_CODES": output,
                "BENCH_FOLDER": str(run.folder),
            },
            group_id=run.id,
            topics=[TopicSpecification(output, "out: the codes", {})],
            output_topic=output,
            state_topic=f"{run.id}-episodes-changelog",
        )
