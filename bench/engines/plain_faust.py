"""Faust as it comes: agents and a table, at least once, or by its own exactly-once."""

import sys
from collections.abc import Callable
from dataclasses import dataclass

from bench.engines.engine import Launch, Run
from bench.engines.peer_environment import codes_topic, peer_environment


@dataclass(frozen=True, slots=True)
class PlainFaust:
    """The program of ``plain_faust_app.py``."""

    name: str
    guarantee: str
    event_count_max = 50_000
    has_state = True
    events_per_second_expected = 4_000

    @property
    def family(self) -> str:
        """By itself."""
        return self.name

    def prepare(self, on_progress: Callable[[str], None]) -> None:
        """It comes with this project."""

    def launch(self, run: Run) -> Launch:
        """A Faust worker; it creates the topic of its table itself."""
        codes = codes_topic(run)
        program = "bench.engines.plain_faust_app"
        return Launch(
            command=[sys.executable, "-m", program, "worker", "--loglevel", "warn", "--without-web"],
            environment=peer_environment(run, guarantee=self.guarantee),
            group_id=run.id,
            topics=[codes],
            output_topic=codes.name,
            state_topic=f"{run.id}-episodes-changelog",
        )
