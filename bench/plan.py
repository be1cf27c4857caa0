"""Which run follows which, and how long all of them take."""

from collections.abc import Collection
from typing import NamedTuple

from bench.engines.engine import Engine
from bench.engines.known import SUBJECT
from bench.latency import LOADS, PACED_SECONDS
from bench.workload import EVENTS_PER_EPISODE, Order, Workload

VARIANT_EVENTS_MAX = 500_000
"""The goal of memory is for the episodes of so many, and the room that deploy/ asks for holds what they take."""

_FILLED_PER_SECOND = 50_000
_SECONDS_AROUND_A_RUN = 20
"""For the start, the look at the outcome, and the end."""


class PlannedRun(NamedTuple):
    """One run, its engine started afresh."""

    engine: Engine
    workload: Workload
    round_number: int | None
    """None outside the rounds."""
    restarts: bool = False
    """Whether it is then started anew, to see how long its state takes to come back."""


def plan(event_count: int, round_count: int, engines: Collection[Engine], *, restarts: bool) -> list[PlannedRun]:
    """The rounds, then this worker's variants once each, then, where asked for, the restarts.

    Every round has each engine once, in turns forwards and backwards: a machine that tires, or is taken up by
    something else for a while, then favours nobody.
    """
    runs = []
    for round_number in range(1, round_count + 1):
        in_turn = list(engines) if round_number % 2 else list(engines)[::-1]
        runs += [PlannedRun(engine, _workload(engine, event_count), round_number) for engine in in_turn]
    if SUBJECT in engines:
        episode_count = min(event_count, VARIANT_EVENTS_MAX) // EVENTS_PER_EPISODE
        runs.append(PlannedRun(SUBJECT, Workload(episode_count, Order.TOGETHER), None))
        runs.append(PlannedRun(SUBJECT, Workload(episode_count, open_only=True), None))
    if restarts:
        for engine in (engine for engine in engines if engine.has_state):
            episode_count = _workload(engine, event_count).episode_count
            workload = Workload(episode_count, open_only=True, reader=engine.name)
            runs.append(PlannedRun(engine, workload, None, restarts=True))
    return runs


def minutes_expected(runs: Collection[PlannedRun], *, latency: bool) -> float:
    """How long *runs*, and where asked for the latency, take on two cores with nothing else to do, about."""
    filled = sum(workload.event_count for workload in {run.workload for run in runs}) / _FILLED_PER_SECOND
    measured = sum(run.workload.event_count / run.engine.events_per_second_expected for run in runs)
    starts = sum(1 + run.restarts for run in runs)
    if latency:
        paced = len(LOADS) * len({run.engine.family for run in runs if run.engine.has_state})
        measured, starts = measured + paced * PACED_SECONDS, starts + paced
    return (filled + measured + _SECONDS_AROUND_A_RUN * starts) / 60


def _workload(engine: Engine, event_count: int) -> Workload:
    limit = engine.event_count_max
    admitted_count = event_count if limit is None else min(event_count, limit)
    return Workload(admitted_count // EVENTS_PER_EPISODE)
