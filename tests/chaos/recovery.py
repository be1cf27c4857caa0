"""``python -m tests.chaos.recovery``: how long does a recovery take after a kill, and of what does that time consist?

Two workers under a steady load on one broker, and nothing else. One is killed; either the other takes its tasks over,
or it is started again at once, in its place.
"""

import argparse
import asyncio
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import pairwise
from statistics import median

import orjson
from aiokafka import TopicPartition
from rich.console import Console
from rich.table import Table

from tests.chaos.flow import flowing
from tests.chaos.kafka_under_test import SingleBroker
from tests.chaos.observation import Ends
from tests.chaos.report import show_verdict, silence_clients
from tests.chaos.scenario import Scenario
from tests.chaos.trial import Trial
from tests.chaos.trial_run import run_trial
from tests.chaos.worker_under_test import WorkerUnderTest

_ON_THE_WAY_SECONDS = 0.5
"""For what the killed worker had sent: the brokers may yet commit it."""
_TAKEN_OVER: Mapping[str, str] = {
    "Heartbeat failed": "the group gives the dead worker up (its session time-out), and the other hears of it",
    "state_restoring": "it joins again",
    "tasks_assigned": "it restores the state, and looks for its positions in the inputs",
}
_RESTARTED: Mapping[str, str] = {
    "worker_started": "the process starts: imports, preflight",
    "state_restoring": "it is given its tasks back, and ends the open transaction",
    "tasks_assigned": "it restores the state, and looks for its positions in the inputs",
}
_COMMITTED = "first commits of all partitions"


@dataclass(slots=True)
class Recovery:
    """Kills again and again, and notes what took how long.

    Attributes:
        restarts: Whether the killed worker is started again at once.
        times: How often.
        taken: By part, the seconds of each time.
    """

    restarts: bool
    times: int
    taken: dict[str, list[float]] = field(default_factory=dict)

    async def run(self, trial: Trial) -> None:
        """Two workers, and a kill for each time."""
        half = trial.scenario.partitions // 2
        for _ in range(2):
            trial.start()
        async with flowing(trial):
            for _ in range(self.times):
                for worker in trial.workers:
                    await trial.until_tasks(worker, half)
                await trial.until_working()
                victim, survivor = trial.workers
                trial.kill(victim)
                killed_at = datetime.now(UTC)
                recovering = trial.start() if self.restarts else survivor
                await trial.pause(_ON_THE_WAY_SECONDS)
                before = await _ends(trial)
                told = _RESTARTED if self.restarts else _TAKEN_OVER
                committed_at = await _until_all_moved(trial, before)
                if not self.restarts:
                    trial.start()
                moments = [killed_at, *_moments(recovering, killed_at, told), committed_at]
                if len(moments) != len(told) + 2:
                    trial.note("the group had moved the tasks otherwise: not counted")
                    continue
                for what, (begin, end) in zip((*told.values(), _COMMITTED), pairwise(moments), strict=True):
                    self.taken.setdefault(what, []).append((end - begin).total_seconds())
                self.taken.setdefault("together", []).append((committed_at - killed_at).total_seconds())


async def _ends(trial: Trial) -> Mapping[TopicPartition, int]:
    topic = trial.topology.episodes_changelog
    partitions = [TopicPartition(topic, partition) for partition in range(trial.scenario.partitions)]
    return await Ends(trial.connection).stable(partitions)


async def _until_all_moved(trial: Trial, before: Mapping[TopicPartition, int]) -> datetime:
    async def moved() -> bool:
        ends = await _ends(trial)
        return all(ends[tp] > before[tp] for tp in before)

    await trial.until(moved, "every partition has a new commit")
    return datetime.now(UTC)


def _moments(worker: WorkerUnderTest, after: datetime, events: Mapping[str, str]) -> Iterator[datetime]:
    """When *worker* first said each of *events*, one after the other, *after* a moment."""
    lines = [orjson.loads(line) for line in worker.log_text().splitlines() if line.startswith("{")]
    told = [(datetime.fromisoformat(line["timestamp"]), line["event"]) for line in lines]
    for event in events:
        found = [at for at, said in told if at >= after and said.startswith(event)]
        if found:
            after = found[0]
            yield after


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure both, and show them; 0 where nothing was lost or doubled meanwhile."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos.recovery", description=__doc__)
    parser.add_argument("--times", type=int, default=3, help="kills of each kind (%(default)s)")
    parser.add_argument("--episodes", type=int, default=1000, help="of the state that is restored (%(default)s)")
    parser.add_argument("--seed", type=int, default=9603, help="of the load (%(default)s)")
    asked = parser.parse_args(arguments)
    silence_clients()
    console = Console()
    console.width = max(console.width, 120)
    holds = True
    with SingleBroker() as kafka:
        for name, restarts in (("taken over by the other", False), ("started again in its place", True)):
            recovery = Recovery(restarts, asked.times)
            scenario = Scenario(f"recovery-{restarts}", "", recovery.run, episodes=asked.episodes)
            verdict = asyncio.run(run_trial(scenario, asked.seed, kafka))
            show_verdict(console, verdict)
            console.print(_table(f"A worker is killed, and {name}", recovery.taken))
            holds &= verdict.holds
    return 0 if holds else 1


def _table(title: str, taken: Mapping[str, Sequence[float]]) -> Table:
    table = Table(title=title)
    for column in ("", "median", "of"):
        table.add_column(column)
    for what, seconds in taken.items():
        table.add_row(what, f"{median(seconds):.2f} s", ", ".join(f"{each:.2f}" for each in seconds))
    return table


if __name__ == "__main__":
    sys.exit(main())
