"""The measurements as JSON, run by run."""

from collections.abc import Iterable
from typing import Any

from bench.latency import Latency
from bench.measurement import Measurement


def as_json(measurements: Iterable[Measurement], machine: str, latencies: Iterable[Latency] = ()) -> dict[str, Any]:
    """Every run by itself, for scripts."""
    return {
        "machine": machine,
        "runs": [_run_json(run) for run in measurements],
        "latencies": [run._asdict() for run in latencies],
    }


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
        "bytes_per_event": run.bytes_per_event,
        "restart_seconds": run.restart_seconds,
    }
