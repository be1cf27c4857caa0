"""The measurements as Markdown: ranges and ratios, the goals beside what was reached, the faults."""

from collections.abc import Iterable, Sequence

from bench.comparison import counted, extent, of_family, round_pairs
from bench.goals import told, verdicts
from bench.latency import Latency
from bench.measurement import Measurement
from bench.workload import Workload

_SHARED_CORES = 0.25
"""From here on the figures say as much about the other programs as about the engines."""

_BEGIN, _END = "<!-- figures: begin -->", "<!-- figures: end -->"


def as_markdown(
    measurements: Sequence[Measurement], *, subject_family: str, machine: str, latencies: Sequence[Latency] = ()
) -> str:
    """All that came out, the bad with the good."""
    tables = (
        _rates_table(measurements),
        _costs_table(measurements),
        _ratios_table(measurements, subject_family),
        _restarts_table(measurements),
        _latencies_table(latencies),
        _goals_table(measurements, latencies),
    )
    faults = [_fault(run) for run in measurements if run.faults]
    faults += [_quoted(f"**No latency** ({run.engine}, {run.load:.0%})", run.fault) for run in latencies if run.fault]
    return "\n\n".join([machine, *_shared_machine(measurements), *filter(None, tables), *faults])


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
                    f"{_arrangement(workload)}, {workload.event_count:,}",
                    f"{extent(run.cpu_seconds_per_million for run in figures).median:.1f}",
                    f"{extent(run.broker_cpu_seconds_per_million for run in figures).median:.1f}",
                    f"{extent(run.peak_resident_mib for run in figures).maximum:.0f}",
                    f"{extent(run.bytes_per_event or 0 for run in runs if run.figures).median:,.0f}",
                    f"{extent(run.cores_taken_by_others for run in figures).median:.2f}",
                ]
            )
    what = ("CPU s", "broker's CPU s", "peak MiB", "bytes/event", "cores lost to others")
    return _table(["per million events", "order, records", *what], rows)


def _by_kind(measurements: Iterable[Measurement]) -> dict[tuple[str, Workload], list[Measurement]]:
    kinds: dict[tuple[str, Workload], list[Measurement]] = {}
    for run in measurements:
        kinds.setdefault((run.engine, run.workload), []).append(run)
    return kinds


def _ratios_table(measurements: Sequence[Measurement], subject_family: str) -> str:
    """Of the fastest of each family, within a round."""
    rows = []
    for family in dict.fromkeys(run.family for run in measurements):
        pairs = round_pairs(measurements, of_family(subject_family), of_family(family))
        if pairs and family != subject_family:
            rates, costs = extent(pair.rate_ratio for pair in pairs), extent(pair.cpu_ratio for pair in pairs)
            rows.append([family, str(len(pairs)), told(rates), told(costs)])
    header = [f"{subject_family} beside", "rounds", "its events/s, times", "the other's CPU time, times"]
    return _table(header, rows) if rows else ""


def _restarts_table(measurements: Sequence[Measurement]) -> str:
    rows = [
        [
            run.engine,
            f"{run.workload.episode_count:,}",
            f"{run.figures.start_up_seconds:.1f}",
            f"{run.restart_seconds:.1f}",
        ]
        for run in measurements
        if run.figures is not None and run.restart_seconds is not None
    ]
    header = ["seconds from start to work", "episodes", "first start", "start anew, state lost"]
    return _table(header, rows) if rows else ""


def _latencies_table(latencies: Sequence[Latency]) -> str:
    rows = [
        [
            run.engine,
            f"{run.load:.0%}",
            f"{run.events_per_second:,.0f}",
            f"{run.code_count:,}",
            *(f"{value:,.0f}" for value in (run.p50_ms, run.p99_ms, run.p999_ms)),
        ]
        for run in latencies
        if not run.fault
    ]
    header = ["ms from record to code", "of its top rate", "events/s", "codes", "p50", "p99", "p99.9"]
    return _table(header, rows) if rows else ""


def _goals_table(measurements: Sequence[Measurement], latencies: Sequence[Latency]) -> str:
    rows = [
        [goal, reached, "reached" if is_reached else "**missed**"]
        for goal, reached, is_reached in verdicts(measurements, latencies)
    ]
    return _table(["goal", "this run", ""], rows) if rows else ""


def _fault(run: Measurement) -> str:
    where = f"{run.engine}, {_arrangement(run.workload)}"
    which = f"{where}, round {run.round_number}" if run.round_number is not None else where
    return _quoted(f"**Does not count** ({which})", "\n".join(run.faults))


def _quoted(what: str, said: str) -> str:
    return f"{what}:\n\n```text\n{said}\n```"


def _arrangement(workload: Workload) -> str:
    return f"{workload.order}, all open" if workload.open_only else str(workload.order)


def _table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
