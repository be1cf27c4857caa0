"""The measurements as Markdown and as JSON: ranges and ratios, the goals beside what was reached, the faults."""

from collections.abc import Iterable, Sequence
from typing import Any

from bench.comparison import RoundPair, counted, extent, round_pairs
from bench.measurement import Measurement
from bench.workload import Workload

RATE_RATIO_GOAL = 15
MEMORY_GOAL_MIB = 300
MEMORY_GOAL_EPISODES = 100_000

_SHARED_CORES = 0.25
"""From here on the figures say as much about the other programs as about the engines."""

_BEGIN, _END = "<!-- figures: begin -->", "<!-- figures: end -->"


def as_markdown(measurements: Sequence[Measurement], *, subject: str, yardstick: str, machine: str) -> str:
    """All that came out, the bad with the good."""
    pairs = round_pairs(measurements, subject, yardstick)
    parts = [machine, *_shared_machine(measurements), _rates_table(measurements), _costs_table(measurements)]
    if pairs:
        parts.append(_rounds_table(pairs, subject, yardstick))
    goals = [*_rate_goal(pairs, yardstick), *_memory_goal(measurements, subject)]
    if goals:
        parts.append(_table(["goal", "this run", ""], goals))
    parts += [_fault(run) for run in measurements if run.faults]
    return "\n\n".join(parts)


def with_figures(text: str, figures: str) -> str:
    """*text* with *figures* between its two markers.

    Raises:
        ValueError: A marker is missing.
    """
    before, begin, rest = text.partition(_BEGIN)
    _, end, after = rest.partition(_END)
    if not (begin and end):
        message = f"There is no place for the figures: put {_BEGIN} and {_END} where they belong."
        raise ValueError(message)
    return f"{before}{_BEGIN}\n\n{figures}\n\n{_END}{after}"


def as_json(measurements: Iterable[Measurement], machine: str) -> dict[str, Any]:
    """Every run by itself, for scripts."""
    return {"machine": machine, "runs": [_run_json(run) for run in measurements]}


def _shared_machine(measurements: Iterable[Measurement]) -> list[str]:
    lost = [figures.cores_taken_by_others for figures in counted(measurements)]
    if not lost or extent(lost).maximum < _SHARED_CORES:
        return []
    cores = " / ".join(f"{count:.1f}" for count in extent(lost))
    sentence = (
        f"**The machine was shared**: other programs took {cores} cores during the runs (minimum, median, maximum). "
        "The rates are lower than the machine's own; only the ratios may be read, and with care."
    )
    return [sentence]


def _rates_table(measurements: Sequence[Measurement]) -> str:
    rows = []
    for (engine, workload), runs in _by_kind(measurements).items():
        figures = counted(runs)
        rates = [f"{rate:,.0f}" for rate in extent(run.events_per_second for run in figures)] if figures else ["-"] * 3
        count = f"{len(figures)} of {len(runs)}"
        rows.append([engine, _arrangement(workload), f"{workload.event_count:,}", count, *rates])
    return _table(["events/s", "order", "records", "runs", "minimum", "median", "maximum"], rows)


def _costs_table(measurements: Sequence[Measurement]) -> str:
    rows = []
    for (engine, workload), runs in _by_kind(measurements).items():
        if figures := counted(runs):
            rows.append(
                [
                    engine,
                    _arrangement(workload),
                    f"{extent(run.cpu_seconds_per_million for run in figures).median:.1f}",
                    f"{extent(run.broker_cpu_seconds_per_million for run in figures).median:.1f}",
                    f"{extent(run.peak_resident_mib for run in figures).maximum:.0f}",
                    f"{extent(run.cores_taken_by_others for run in figures).median:.2f}",
                ]
            )
    header = ["per million events", "order", "CPU s", "broker's CPU s", "peak MiB", "cores lost to others"]
    return _table(header, rows)


def _by_kind(measurements: Iterable[Measurement]) -> dict[tuple[str, Workload], list[Measurement]]:
    kinds: dict[tuple[str, Workload], list[Measurement]] = {}
    for run in measurements:
        kinds.setdefault((run.engine, run.workload), []).append(run)
    return kinds


def _rounds_table(pairs: Sequence[RoundPair], subject: str, yardstick: str) -> str:
    header = ["round", f"{subject} events/s", f"{yardstick} events/s", "ratio", "ratio of CPU s"]
    rows = [
        [
            str(pair.round_number),
            f"{pair.subject.events_per_second:,.0f}",
            f"{pair.yardstick.events_per_second:,.0f}",
            f"{pair.rate_ratio:.1f}",
            f"{pair.cpu_ratio:.1f}",
        ]
        for pair in pairs
    ]
    medians = (extent(pair.rate_ratio for pair in pairs).median, extent(pair.cpu_ratio for pair in pairs).median)
    return _table(header, [*rows, ["median", "", "", *(f"{median:.1f}" for median in medians)]])


def _rate_goal(pairs: Sequence[RoundPair], yardstick: str) -> list[list[str]]:
    if not pairs:
        return []
    ratios = extent(pair.rate_ratio for pair in pairs)
    reached = f"{ratios.minimum:.1f} / {ratios.median:.1f} / {ratios.maximum:.1f}"
    return [[f"{RATE_RATIO_GOAL} times {yardstick}", reached, _verdict(ratios.median >= RATE_RATIO_GOAL)]]


def _memory_goal(measurements: Sequence[Measurement], subject: str) -> list[list[str]]:
    figures = counted(run for run in measurements if run.engine == subject and run.workload.open_only)
    episode_count = max((run.workload.episode_count for run in measurements if run.workload.open_only), default=0)
    if not figures or episode_count < MEMORY_GOAL_EPISODES:
        return []
    peak_mib = extent(run.peak_resident_mib for run in figures).maximum
    goal = f"{MEMORY_GOAL_MIB} MiB with {MEMORY_GOAL_EPISODES:,} open episodes"
    return [[goal, f"{peak_mib:.0f} MiB with {episode_count:,}", _verdict(peak_mib <= MEMORY_GOAL_MIB)]]


def _verdict(reached: bool) -> str:  # noqa: FBT001 - a word for a truth value
    return "reached" if reached else "**missed**"


def _fault(run: Measurement) -> str:
    where = f"{run.engine}, {_arrangement(run.workload)}"
    which = f"{where}, round {run.round_number}" if run.round_number is not None else where
    return f"**Does not count** ({which}):\n\n```text\n" + "\n".join(run.faults) + "\n```"


def _arrangement(workload: Workload) -> str:
    return f"{workload.order}, all open" if workload.open_only else str(workload.order)


def _run_json(run: Measurement) -> dict[str, Any]:
    told: dict[str, Any] = {
        "engine": run.engine,
        "round": run.round_number,
        "order": run.workload.order,
        "open_only": run.workload.open_only,
        "records": run.workload.event_count,
        "faults": run.faults,
    }
    if run.figures is None:
        return told
    return told | {
        "measured_records": run.figures.event_count,
        "seconds": run.figures.seconds,
        "start_up_seconds": run.figures.start_up_seconds,
        "events_per_second": run.figures.events_per_second,
        "cpu_seconds": run.figures.processor_time._asdict(),
        "peak_resident_mib": run.figures.peak_resident_mib,
    }


def _table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
