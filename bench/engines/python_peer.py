"""Stream engines for Python, in an environment of their own: Quix Streams and Bytewax."""

from collections.abc import Callable
from dataclasses import dataclass

from bench.engines import python_environment
from bench.engines.engine import Launch, Run
from bench.engines.peer_environment import codes_topic, peer_environment


@dataclass(frozen=True, slots=True)
class PythonPeer:
    """The program ``<name>_app.py``."""

    name: str
    events_per_second_expected: int
    event_count_max = None
    has_state = True

    @property
    def family(self) -> str:
        """By itself."""
        return self.name

    def prepare(self, on_progress: Callable[[str], None]) -> None:
        """Install it."""
        python_environment.install(on_progress)

    def launch(self, run: Run) -> Launch:
        """It makes whatever holds its state itself."""
        codes = codes_topic(run)
        return Launch(
            command=[python_environment.python(), "-m", f"bench.engines.{self.name}_app"],
            environment=peer_environment(run),
            group_id=run.id,
            topics=[codes],
            output_topic=codes.name,
        )
