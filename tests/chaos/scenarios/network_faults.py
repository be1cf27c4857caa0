"""Networks that are cut, hang, crawl and break, between one worker and one broker or all of them."""

from collections.abc import Awaitable, Callable

from tests.chaos.faults import Delay, Effect, Hold, Rule, Throttle, Way, process
from tests.chaos.flow import flowing
from tests.chaos.roles import Role, broker_of
from tests.chaos.scenario import Scenario
from tests.chaos.trial import Trial

_CUT_SECONDS = 13.0
"""Longer than the worker's transaction and session time-outs."""
_SLOW_SECONDS = 8.0
_RESETS = 6
_RESET_GAP_SECONDS = (0.2, 2.0)


def _cut(role: Role) -> Callable[[Trial], Awaitable[None]]:
    async def run(trial: Trial) -> None:
        victim = trial.start()
        trial.start()
        async with flowing(trial):
            node = await broker_of(trial, role)
            trial.fault(f"{victim.name} is cut off from broker {node}, {role}")
            with trial.cluster.network.cut(node, clients=process(victim.pid)):
                await trial.pause(_CUT_SECONDS)
            trial.healed("the way is free again")

    return run


def _hung(role: Role) -> Callable[[Trial], Awaitable[None]]:
    async def run(trial: Trial) -> None:
        victim = trial.start()
        trial.start()
        async with flowing(trial):
            node = await broker_of(trial, role)
            trial.fault(f"nothing passes between {victim.name} and broker {node}, {role}; connections stay open")
            with trial.cluster.network.hung(node, clients=process(victim.pid)):
                await trial.pause(_CUT_SECONDS)
            trial.healed("all that was on the way arrives")

    return run


def _half_open(way: Way) -> Callable[[Trial], Awaitable[None]]:
    async def run(trial: Trial) -> None:
        victim = trial.start()
        trial.start()
        async with flowing(trial):
            trial.fault(f"nothing passes from {victim.name} {way.value}, the other way all does")
            with trial.cluster.network.under(Rule(Hold(), way=way, clients=process(victim.pid))):
                await trial.pause(_CUT_SECONDS)
            trial.healed("all that was on the way arrives")

    return run


def _slow(effect: Callable[[Trial], Effect], told: str) -> Callable[[Trial], Awaitable[None]]:
    async def run(trial: Trial) -> None:
        for _ in range(2):
            trial.start()
        rule = Rule(effect(trial), clients=trial.is_own)
        async with flowing(trial):
            trial.fault(told)
            with trial.cluster.network.under(rule):
                await trial.pause(_SLOW_SECONDS)
                await trial.until_working()
            trial.healed("the network is as it was")

    return run


def _jitter(trial: Trial) -> Effect:
    return Delay(0.02, 0.2, trial.random)


async def reset_at_random(trial: Trial) -> None:
    """Every connection of every worker is reset, again and again."""
    for _ in range(2):
        trial.start()
    gaps = [trial.random.uniform(*_RESET_GAP_SECONDS) for _ in range(_RESETS)]
    async with flowing(trial):
        for gap in gaps:
            await trial.pause(gap)
            trial.fault(f"{trial.cluster.network.reset(clients=trial.is_own)} connections are reset")


def _scenario(name: str, what: str, run: Callable[[Trial], Awaitable[None]]) -> Scenario:
    return Scenario(name, what, run, needs_cluster=True)


_ROLES = (Role.PARTITION_LEADER, Role.TRANSACTION_COORDINATOR, Role.GROUP_COORDINATOR)

SCENARIOS = (
    *(
        _scenario(
            f"network-cut-{role.name.lower().replace('_', '-')}",
            f"One worker is cut off from the broker that is {role}, and notices.",
            _cut(role),
        )
        for role in _ROLES
    ),
    *(
        _scenario(
            f"network-hangs-{role.name.lower().replace('_', '-')}",
            f"Between one worker and the broker that is {role} nothing passes, and connections stay open.",
            _hung(role),
        )
        for role in _ROLES
    ),
    _scenario("network-half-open-requests", "What one worker says reaches nobody; it hears.", _half_open(Way.REQUEST)),
    _scenario("network-half-open-answers", "What one worker is answered is lost; it is heard.", _half_open(Way.ANSWER)),
    _scenario("network-latency", "Every message takes 20 to 220 ms.", _slow(_jitter, "20 to 220 ms for every message")),
    _scenario(
        "network-narrow",
        "Every connection carries 50 KB a second.",
        _slow(lambda _trial: Throttle(50_000), "50 KB a second for every connection"),
    ),
    _scenario("network-resets", reset_at_random.__doc__ or "", reset_at_random),
)
