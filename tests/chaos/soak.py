"""``python -m tests.chaos.soak``: a random mix of faults for as long as it is told; does anything grow?

Every round brings new episodes and one fault. At the end of a round all is read. Memory may grow with the episodes that
a worker holds, by a known measure, and with nothing else; files, sockets and lag may not grow at all.
"""

import argparse
import asyncio
import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from itertools import count
from pathlib import Path
from random import Random

import orjson
from rich.console import Console
from rich.table import Table

from streams.demo.health_system.wire import InputRecord
from streams.demo.source import DeliveredRecord
from tests.chaos.cluster import KafkaCluster
from tests.chaos.flow import flow
from tests.chaos.kafka_under_test import KafkaUnderTest, SingleBroker
from tests.chaos.random_faults import OF_CLUSTERS, OF_WORKERS, Fault
from tests.chaos.report import show_verdict, silence_clients, verdict_table
from tests.chaos.scenario import Scenario
from tests.chaos.trial import Trial
from tests.chaos.trial_run import run_trial

_OUTPUT = Path("build/chaos/soak.json")
_WORKERS = 2
_EPISODES = 200
_DRAINED_SECONDS_MAX = 60.0
"""A session, a restore, and a start on a machine that is busy with brokers."""
_RESIDENT_BYTES_BASE = 160 * 1024 * 1024
_RESIDENT_BYTES_PER_EPISODE = 8 * 1024
"""Some facts, a ledger, and what an allocator cannot give back."""
_DESCRIPTORS_MAX = 80
_IDS = re.compile(rb"\b(EP|EV)-")
_SECONDS_BEYOND = 900.0
"""For the last round, and for the judge."""


@dataclass(frozen=True, slots=True)
class Sample:
    """The state of things at the end of a round: of the worker that has most of it."""

    at_seconds: float
    records: int
    episodes: int
    fault: str
    drained_seconds: float
    resident_bytes: int
    descriptors: int


@dataclass(slots=True)
class Soak:
    """Rounds until the time is over."""

    seconds: float
    faults: Mapping[str, Fault]
    samples: list[Sample] = field(default_factory=list)

    async def run(self, trial: Trial) -> None:
        """Round after round."""
        drawn = Random(f"{trial.scenario.name}-faults")  # noqa: S311 - the sender draws from the trial's own meanwhile
        records = 0
        for number in count(1):
            while len(trial.workers) < _WORKERS:
                trial.start()
            name = drawn.choice(sorted(self.faults))
            sent = of_round(trial.load, number)
            records += len(sent)
            async with asyncio.TaskGroup() as group:
                group.create_task(flow(trial, sent))
                await trial.until_working()
                await self.faults[name](trial, drawn)
            begun_at = trial.timeline.now()
            while len(trial.workers) < _WORKERS:
                trial.start()
            await trial.until_done()
            now = trial.timeline.now()
            self._take(trial, Sample(now, records, number * trial.scenario.episodes, name, now - begun_at, 0, 0))
            if now > self.seconds:
                return

    def _take(self, trial: Trial, sample: Sample) -> None:
        resident = max(worker.resident_bytes for worker in trial.workers)
        descriptors = max(worker.descriptor_count for worker in trial.workers)
        taken = Sample(**{**asdict(sample), "resident_bytes": resident, "descriptors": descriptors})
        self.samples.append(taken)
        bytes_max = _RESIDENT_BYTES_BASE + _RESIDENT_BYTES_PER_EPISODE * sample.episodes
        if resident > bytes_max:
            trial.unbounded.append(f"a worker takes {resident} bytes for {sample.episodes} episodes at most")
        if sample.drained_seconds > _DRAINED_SECONDS_MAX:
            trial.unbounded.append(f"after {sample.fault} it took {sample.drained_seconds:.0f} s to read everything")
        if descriptors > _DESCRIPTORS_MAX:
            trial.unbounded.append(f"a worker has {descriptors} files and sockets open")


def of_round(records: Sequence[DeliveredRecord], number: int) -> list[InputRecord]:
    """*records* with ids of episodes and events that no other round has."""
    prefix = rb"\g<1>-R%d-" % number
    return [
        InputRecord(
            record.topic,  # type: ignore[arg-type] # one of the two
            record.key and _IDS.sub(prefix, record.key),
            _IDS.sub(prefix, record.value),
            tuple((name, _IDS.sub(prefix, value)) for name, value in record.headers),
            "survey",
        )
        for record in records
    ]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run as long as the command line says; 0 where everything held."""
    asked = _parser().parse_args(arguments)
    silence_clients()
    console = Console()
    console.width = max(console.width, 120)
    soak = Soak(asked.minutes * 60.0, OF_WORKERS if asked.single_broker else {**OF_WORKERS, **OF_CLUSTERS})
    scenario = Scenario("soak", __doc__ or "", soak.run, episodes=_EPISODES, restarts_max=sys.maxsize)
    kafka: KafkaUnderTest = SingleBroker() if asked.single_broker else KafkaCluster()
    kafka.start()
    try:
        verdict = asyncio.run(run_trial(scenario, asked.seed, kafka, seconds_max=soak.seconds + _SECONDS_BEYOND))
    finally:
        kafka.stop()
    console.print(sample_table(soak.samples))
    show_verdict(console, verdict)
    console.print(verdict_table([verdict]))
    asked.output.parent.mkdir(parents=True, exist_ok=True)
    asked.output.write_bytes(orjson.dumps({"verdict": verdict.as_json(), "samples": soak.samples}))
    return 0 if verdict.holds else 1


def sample_table(samples: Sequence[Sample]) -> Table:
    """A row for each round."""
    table = Table(title="After each round")
    for name in ("minute", "records", "episodes", "fault", "all read in", "memory of a worker", "files and sockets"):
        table.add_column(name, justify="right")
    for sample in samples:
        table.add_row(
            f"{sample.at_seconds / 60:.1f}",
            str(sample.records),
            str(sample.episodes),
            sample.fault,
            f"{sample.drained_seconds:.1f} s",
            f"{sample.resident_bytes / 2**20:.0f} MiB",
            str(sample.descriptors),
        )
    return table


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0, help="how long (%(default)s)")
    parser.add_argument("--seed", type=int, default=9603, help="of everything that is drawn (%(default)s)")
    parser.add_argument("--single-broker", action="store_true", help="one broker in place of three")
    parser.add_argument("--output", type=Path, default=_OUTPUT, help="the samples as JSON (%(default)s)")
    return parser


if __name__ == "__main__":
    sys.exit(main())
