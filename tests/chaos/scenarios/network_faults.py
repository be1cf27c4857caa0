"""Networks that are cut, hang, crawl and break, between one worker and one broker or all of them."""

from collections.abc import Callable
from contextlib import AbstractContextManager

from tests.chaos.faults import Delay, Hold, Rule, Throttle, Way, process
from tests.chaos.flow import flowing
from tests.chaos.roles import Role, broker_of
from tests.chaos.scenario import Scenario, sentence_of
from tests.chaos.trial import Trial
from tests.chaos.worker_under_test import WorkerUnderTest

_CUT_SECONDS = 13.0
"""Longer than the worker's transaction and session time-outs."""
_SLOW_SECONDS = 8.0
_RESETS = 6
_RESET_GAP_SECONDS = (0.2, 2.0)
_ROLES = (Role.PARTITION_LEADER, Role.TRANSACTION_COORDINATOR, Role.GROUP_COORDINATOR)

Fault = Callable[[Trial, WorkerUnderTest, int], AbstractContextManager[object]]
"""What is wrong while a block runs, with the network of a trial, of one of its two workers, or before one broker."""


def _scenario(
    name: str, what: str, fault: Fault, *, role: Role = Role.PARTITION_LEADER, seconds: float = _CUT_SECONDS
) -> Scenario:
    async def run(trial: Trial) -> None:
        victim = trial.start()
        trial.start()
        async with flowing(trial):
            node = await broker_of(trial, role)
            trial.fault(f"{what} ({victim.name}, broker {node})")
            with fault(trial, victim, node):
                await trial.pause(seconds)
                if seconds < _CUT_SECONDS:  # what is slow works all the same
                    await trial.until_working()
            trial.healed("the network is as it was, and all that was on the way arrives")

    return Scenario(name, what, run, needs_cluster=True)


def _cut(trial: Trial, victim: WorkerUnderTest, node: int) -> AbstractContextManager[object]:
    cut: AbstractContextManager[object] = trial.cluster.network.cut(node, clients=process(victim.pid))
    return cut


def _hung(trial: Trial, victim: WorkerUnderTest, node: int) -> AbstractContextManager[object]:
    hung: AbstractContextManager[object] = trial.cluster.network.hung(node, clients=process(victim.pid))
    return hung


def _under(rule: Callable[[Trial, WorkerUnderTest], Rule]) -> Fault:
    return lambda trial, victim, _node: trial.cluster.network.under(rule(trial, victim))


def _half_open(way: Way) -> Fault:
    return _under(lambda _trial, victim: Rule(Hold(), way=way, clients=process(victim.pid)))


async def reset_at_random(trial: Trial) -> None:
    """Every connection of every worker is reset, again and again."""
    for _ in range(2):
        trial.start()
    gaps = [trial.random.uniform(*_RESET_GAP_SECONDS) for _ in range(_RESETS)]
    async with flowing(trial):
        for gap in gaps:
            await trial.pause(gap)
            trial.fault(f"{trial.cluster.network.reset(clients=trial.is_own)} connections are reset")


SCENARIOS = (
    *(
        _scenario(
            f"network-{name}-{role.name.lower().replace('_', '-')}",
            f"{told} the broker that is {role}.",
            fault,
            role=role,
        )
        for role in _ROLES
        for name, fault, told in (
            ("cut", _cut, "One worker is cut off, and notices, from"),
            ("hangs", _hung, "Nothing passes, and connections stay open, between one worker and"),
        )
    ),
    _scenario("network-half-open-requests", "What one worker says reaches nobody; it hears.", _half_open(Way.REQUEST)),
    _scenario("network-half-open-answers", "What one worker is answered is lost; it is heard.", _half_open(Way.ANSWER)),
    _scenario(
        "network-latency",
        "Every message takes 20 to 220 ms.",
        _under(lambda trial, _victim: Rule(Delay(0.02, 0.2, trial.random), clients=trial.is_own)),
        seconds=_SLOW_SECONDS,
    ),
    _scenario(
        "network-narrow",
        "Every connection carries 50 KB a second.",
        _under(lambda trial, _victim: Rule(Throttle(50_000), clients=trial.is_own)),
        seconds=_SLOW_SECONDS,
    ),
    Scenario("network-resets", sentence_of(reset_at_random), reset_at_random, needs_cluster=True),
)
