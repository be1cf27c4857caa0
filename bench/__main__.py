"""``python -m bench``: the engines side by side, on a Kafka that lives as long as the bench."""

import asyncio
import logging
import sys
import tempfile
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Annotated, NoReturn

import orjson
import typer
from rich.console import Console
from rich.markdown import Markdown
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from bench.chart import chart
from bench.comparison import fastest_of_families
from bench.engines.engine import EngineUnavailableError
from bench.engines.known import ENGINES, SHORT, SUBJECT
from bench.input_topics import fill
from bench.json_report import as_json
from bench.latency import LOADS, Latency
from bench.machine import machine_words
from bench.measurement import Measurement
from bench.meter import Meter
from bench.plan import PlannedRun, minutes_expected, plan
from bench.process_tree import is_supported
from bench.report import as_markdown, with_figures
from streams.local_kafka.broker_process import BrokerStartError
from streams.local_kafka.java import JavaUnavailableError
from streams.local_kafka.local_broker import LocalKafka
from streams.local_kafka.maven import MavenUnavailableError

_README = Path(__file__).with_name("README.md")
_CHART = Path(__file__).with_name("figures.svg")
_EVENTS_MIN = 100_000
"""With fewer, all may be committed in the first step, and there is nothing between two commits."""

_BROKER_SETTINGS = {
    # Members that start together join together; Kafka's own default is 3 s, that of a local Kafka 0.
    "group.initial.rebalance.delay.ms": "1000",
}

_EXIT_WRONG_OUTCOME = 1
_EXIT_UNAVAILABLE = 69

_err = Console(stderr=True)


def main(  # noqa: PLR0913, PLR0917 - the options of a command
    events: Annotated[int, typer.Option(min=_EVENTS_MIN, help="Records for an engine that is fast.")] = 500_000,
    rounds: Annotated[int, typer.Option(min=1, max=100, help="How often each engine runs.")] = 3,
    engines: Annotated[
        list[str] | None,
        typer.Option(help=f"Which, once for each, of {', '.join(ENGINES)}; if left out {', '.join(SHORT)}."),
    ] = None,
    full: Annotated[  # noqa: FBT002 - a flag
        bool, typer.Option("--full", help="All engines, how long each takes to restore its state, and its latency.")
    ] = False,
    as_json_document: Annotated[bool, typer.Option("--json", help="For scripts.")] = False,  # noqa: FBT002 - a flag
    readme: Annotated[bool, typer.Option(help="Write the figures into bench/README.md.")] = False,  # noqa: FBT002 - a flag
) -> None:
    """Measure stream engines on the same records, one after another.

    Ends with 0 if every outcome was right, whatever the figures; a goal that was missed is told in the table.
    """
    chosen = list(dict.fromkeys(engines or (ENGINES if full else SHORT)))
    if unknown := [name for name in chosen if name not in ENGINES]:
        message = f"{', '.join(unknown)}: no such engine; there are {', '.join(ENGINES)}."
        raise typer.BadParameter(message, param_hint="--engines")
    if not is_supported():
        _fail("The bench reads what processes use from /proc: run it on Linux.")
    # A client that meets a topic just created says so as an error, and goes on.
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    runs = plan(events, rounds, [ENGINES[name] for name in chosen], restarts=full)
    try:
        for name in chosen:
            ENGINES[name].prepare(_err.print)
        minutes = minutes_expected(runs, latency=full)
        _err.print(f"{len(runs)} runs; about {minutes:.0f} minutes on two idle cores.")
        with (
            LocalKafka(more_properties=_BROKER_SETTINGS, on_progress=_err.print) as kafka,
            tempfile.TemporaryDirectory(prefix="g9603-bench-") as folder,
        ):
            measurements, latencies = asyncio.run(_measure(runs, kafka, Path(folder), latency=full))
            machine = machine_words(kafka.version)
    except (JavaUnavailableError, MavenUnavailableError, BrokerStartError, EngineUnavailableError) as error:
        _fail(str(error))
    text = as_markdown(measurements, subject_family=SUBJECT.family, machine=machine, latencies=latencies)
    if readme:
        _write_figures(measurements, text)
    if as_json_document:
        document = as_json(measurements, machine, latencies)
        sys.stdout.buffer.write(orjson.dumps(document, option=orjson.OPT_INDENT_2) + b"\n")
    else:
        Console().print(
            Markdown(as_markdown(measurements, subject_family=SUBJECT.family, machine=machine, latencies=latencies))
        )
    if any(measurement.faults for measurement in measurements):
        raise typer.Exit(_EXIT_WRONG_OUTCOME)


async def _measure(
    runs: Sequence[PlannedRun], kafka: LocalKafka, folder: Path, *, latency: bool
) -> tuple[list[Measurement], list[Latency]]:
    connection = {"bootstrap_servers": kafka.bootstrap_servers}
    meter = Meter(connection, kafka.properties_path.with_name("data"), folder)
    measurements = []
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=_err, refresh_per_second=2) as progress:
        for workload in dict.fromkeys(run.workload for run in runs):
            task = progress.add_task(f"fill {workload.topic_prefix}*", total=workload.event_count)
            await fill(connection, workload, partial(progress.advance, task))
        for run in runs:
            when = f"round {run.round_number}" if run.round_number is not None else "variant"
            task = progress.add_task(f"{when}: {run.engine.name}", total=run.workload.event_count)

            def tell(committed_count: int, task: TaskID = task) -> None:
                progress.update(task, completed=committed_count)

            measurements.append(await meter.measure(run, tell))
            progress.stop_task(task)
        latencies = await _latencies(meter, measurements, progress) if latency else []
    return measurements, latencies


async def _latencies(meter: Meter, measurements: Sequence[Measurement], progress: Progress) -> list[Latency]:
    """Of the fastest of each family, at parts of the rate that it has just reached."""
    latencies = []
    for name, rate_max in fastest_of_families(measurements).items():
        if ENGINES[name].has_state:  # who has none codes nothing
            task = progress.add_task(f"latency: {name}", total=len(LOADS))
            for load in LOADS:
                latencies.append(await meter.latency(ENGINES[name], load, rate_max))
                progress.advance(task)
    return latencies


def _write_figures(measurements: Sequence[Measurement], text: str) -> None:
    rounds = [run for run in measurements if run.round_number is not None]
    event_count = max(run.workload.event_count for run in rounds)
    caption = f"Up to {event_count:,} records, spread: bars are medians, lines go from the minimum to the maximum."
    _CHART.write_text(chart(rounds, SUBJECT.family, caption), encoding="utf-8")
    figures = f"![Events per second and processor time of each engine]({_CHART.name})\n\n{text}"
    _README.write_text(with_figures(_README.read_text(encoding="utf-8"), figures), encoding="utf-8")


def _fail(sentence: str) -> NoReturn:
    _err.print(sentence, highlight=False, soft_wrap=True)
    raise typer.Exit(_EXIT_UNAVAILABLE)


if __name__ == "__main__":
    typer.run(main)
