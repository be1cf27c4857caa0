"""Which run follows which."""

from collections.abc import Collection
from typing import NamedTuple

from bench.engines.engine import Engine
from bench.engines.known import SUBJECT
from bench.workload import EVENTS_PER_EPISODE, Order, Workload


class PlannedRun(NamedTuple):
    """One run, its engine started afresh."""

    engine: Engine
    workload: Workload
    round_number: int | None
    """None outside the rounds."""


def plan(event_count: int, round_count: int, engines: Collection[Engine]) -> list[PlannedRun]:
    """The rounds, then this worker's variants once each.

    Every round has each engine once, in turns forwards and backwards: a machine that tires, or is taken up by
    something else for a while, then favours nobody.
    """
    runs = []
    for round_number in range(1, round_count + 1):
        in_turn = list(engines) if round_number % 2 else list(engines)[::-1]
        runs += [PlannedRun(engine, _workload(engine, event_count), round_number) for engine in in_turn]
    if SUBJECT in engines:
        episode_count = event_count // EVENTS_PER_EPISODE
        runs.append(PlannedRun(SUBJECT, Workload(episode_count, Order.TOGETHER), None))
        runs.append(PlannedRun(SUBJECT, Workload(episode_count, open_only=True), None))
    return runs


def _workload(engine: Engine, event_count: int) -> Workload:
    limit = engine.event_count_max
    admitted_count = event_count if limit is None else min(event_count, limit)
    return Workload(admitted_count // EVENTS_PER_EPISODE)
