"""When a worker counts as stuck: what waits and does not move, for longer than its patience."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.worker.stall import ConsumerProgress, Observation, Signal, Stall, Verdict, signals, verdict, waited
from streams.worker.task_progress import Phase, TaskProgress
from streams.worker.tuning import Tuning
from streams.worker.watchdog import patience

PATIENCE_SECONDS = dict.fromkeys(Stall, 10.0)
IDLE = TaskProgress(Phase.WORKING, assignments=1, records_restored=5, steps_committed=7, records_in_hand=False)
QUIET = ConsumerProgress(records_wait=False, rejoin_needed=False)


def observation(tasks: TaskProgress = IDLE, consumer: ConsumerProgress | None = QUIET) -> Observation:
    return Observation(loop_ticks=1, consumer_ticks=1, tasks=tasks, consumer=consumer)


@pytest.mark.parametrize(
    ("seen", "waiting"),
    [
        (observation(), set()),
        (observation(consumer=QUIET._replace(records_wait=True)), {Stall.STEP}),
        (observation(IDLE._replace(records_in_hand=True)), {Stall.STEP}),
        (observation(IDLE._replace(phase=Phase.REBALANCING)), {Stall.REBALANCE}),
        (observation(IDLE._replace(phase=Phase.REBALANCING), QUIET._replace(records_wait=True)), {Stall.REBALANCE}),
        (observation(IDLE._replace(phase=Phase.REBALANCING), QUIET._replace(rejoin_needed=True)), {Stall.REBALANCE}),
        (observation(IDLE._replace(phase=Phase.RESTORING)), {Stall.RESTORE}),
        (observation(IDLE._replace(phase=Phase.RESTORING), QUIET._replace(records_wait=True)), {Stall.RESTORE}),
        (observation(consumer=QUIET._replace(rejoin_needed=True)), {Stall.REJOIN}),
        (
            observation(IDLE._replace(phase=Phase.RESTORING), QUIET._replace(rejoin_needed=True)),
            {Stall.RESTORE, Stall.REJOIN},
        ),
    ],
)
def test_what_is_waited_for(seen: Observation, waiting: set[Stall]) -> None:
    """Beside the two loops, which must always turn."""
    always = {Stall.EVENT_LOOP, Stall.CONSUMER_LOOP}
    assert {signal.stall for signal in signals(seen) if signal.waiting} == waiting | always


def test_before_there_is_a_consumer_nobody_waits_for_its_loop() -> None:
    """A worker that is still starting is bounded by the patience for rebalances."""
    seen = observation(IDLE._replace(phase=Phase.REBALANCING), consumer=None)
    assert {s.stall for s in signals(seen) if s.waiting} == {Stall.EVENT_LOOP, Stall.REBALANCE}


@pytest.mark.parametrize(
    ("stall", "moved"),
    [
        (Stall.EVENT_LOOP, observation()._replace(loop_ticks=2)),
        (Stall.CONSUMER_LOOP, observation()._replace(consumer_ticks=2)),
        (Stall.STEP, observation(IDLE._replace(steps_committed=8))),
        (Stall.RESTORE, observation(IDLE._replace(records_restored=6))),
        (Stall.REBALANCE, observation(IDLE._replace(assignments=2))),
    ],
)
def test_what_counts_as_progress(stall: Stall, moved: Observation) -> None:
    """Of each signal its own counter, and no other."""
    before = {signal.stall: signal.progress for signal in signals(observation())}
    after = {signal.stall: signal.progress for signal in signals(moved)}
    assert {name for name in before if before[name] != after[name]} == {stall}


def judged(history: Sequence[tuple[float, Signal]]) -> list[Verdict | None]:
    """The verdict after each of *history*, which gives the seconds since the last."""
    waiting, verdicts = waited({}, [], 0.0), []
    for elapsed_seconds, signal in history:
        waiting = waited(waiting, [signal], elapsed_seconds)
        verdicts.append(verdict(waiting, PATIENCE_SECONDS))
    return verdicts


seconds = st.floats(0, 30)
stalls = st.sampled_from(Stall)


@given(stalls, st.lists(st.tuples(seconds, st.booleans(), st.integers(0, 2)), max_size=30))
def test_a_stall_is_found_exactly_when_patience_is_over(stall: Stall, history: list[tuple[float, bool, int]]) -> None:
    """There is a verdict if and only if the last run of equal, waiting observations is longer than the patience."""
    verdicts = judged([(elapsed, Signal(stall, waiting, progress)) for elapsed, waiting, progress in history])

    for index, found in enumerate(verdicts):
        _, waiting, progress = history[index]
        start = index
        while start > 0 and history[start - 1][1:] == (True, progress):
            start -= 1
        lasted = sum(elapsed for elapsed, _, _ in history[start + 1 : index + 1])
        expected = waiting and lasted > PATIENCE_SECONDS[stall]
        assert (found is not None) == expected, (index, lasted)
        if found is not None:
            assert found.stall is stall
            assert found.seconds == pytest.approx(lasted)


@given(st.lists(stalls, min_size=1, unique=True))
def test_the_cause_is_told_before_the_consequence(together: list[Stall]) -> None:
    """Where a loop is blocked no step is committed either: the loop is the news."""
    both = [Signal(stall, waiting=True, progress=0) for stall in together]
    waiting = waited(waited({}, both, 0.0), both, 11.0)
    assert verdict(waiting, PATIENCE_SECONDS) == Verdict(min(together, key=list(Stall).index), 11.0)


def test_patience_is_longer_than_what_ends_a_wait_by_itself() -> None:
    """A watchdog that bites before a time-out of the worker itself would only hide the better reason."""
    tuning = Tuning()
    seconds_max = patience(tuning)
    assert seconds_max[Stall.STEP] > 2 * tuning.transaction_timeout_seconds
    assert seconds_max[Stall.RESTORE] > tuning.restore_stall_seconds
    assert seconds_max[Stall.REBALANCE] > tuning.rebalance_timeout_seconds + tuning.session_timeout_seconds
    assert seconds_max[Stall.EVENT_LOOP] < tuning.stop_seconds_max
