"""Brokers that are killed, frozen and rolled, by the part that they play."""

import asyncio
from collections.abc import Awaitable, Callable

from tests.chaos.flow import flowing
from tests.chaos.roles import Role, broker_of
from tests.chaos.scenario import Scenario
from tests.chaos.trial import Trial

_DEAD_SECONDS = 4.0
_FROZEN_SECONDS = 13.0
"""Longer than the worker's transaction and session time-outs, and the brokers' sessions with the controller."""


async def _two_workers(trial: Trial) -> None:
    for _ in range(2):
        trial.start()


def _killed(role: Role) -> Callable[[Trial], Awaitable[None]]:
    async def run(trial: Trial) -> None:
        await _two_workers(trial)
        async with flowing(trial):
            node = await broker_of(trial, role)
            trial.fault(f"SIGKILL broker {node}, {role}")
            await asyncio.to_thread(trial.cluster.brokers[node].kill)
            await trial.pause(_DEAD_SECONDS)
            await trial.until_working()
            await asyncio.to_thread(trial.cluster.brokers[node].start)
            trial.healed(f"broker {node} is up again")

    return run


def _frozen(role: Role) -> Callable[[Trial], Awaitable[None]]:
    async def run(trial: Trial) -> None:
        await _two_workers(trial)
        async with flowing(trial):
            node = await broker_of(trial, role)
            trial.fault(f"SIGSTOP broker {node}, {role}")
            trial.cluster.brokers[node].pause()
            await trial.pause(_FROZEN_SECONDS)
            trial.cluster.brokers[node].resume()
            trial.healed(f"SIGCONT broker {node}")

    return run


async def roll(trial: Trial) -> None:
    """Every broker in turn is stopped in good order and started again, under load."""
    await _two_workers(trial)
    loop = asyncio.get_running_loop()

    def told(node: int) -> None:
        loop.call_soon_threadsafe(trial.fault, f"SIGTERM broker {node}, which is then started again")

    async with flowing(trial):
        await asyncio.to_thread(trial.cluster.roll, told)
        trial.healed("all brokers are up again")


async def all_killed(trial: Trial) -> None:
    """All brokers are killed at once under load, and started again: what was acknowledged is on their disks."""
    await _two_workers(trial)
    async with flowing(trial):
        trial.fault("SIGKILL all brokers")
        await asyncio.to_thread(trial.cluster.kill)
        await trial.pause(_DEAD_SECONDS)
        await asyncio.to_thread(trial.cluster.heal)
        trial.healed("all brokers are up again")
        await trial.until_working()


SCENARIOS = (
    Scenario("brokers-all-killed", all_killed.__doc__ or "", all_killed, exclusive=True, needs_cluster=True),
    Scenario("brokers-rolled", roll.__doc__ or "", roll, in_subset=True, exclusive=True, needs_cluster=True),
    *(
        Scenario(
            f"broker-killed-{role.name.lower().replace('_', '-')}",
            f"The broker that is {role} is killed under load, and started again.",
            _killed(role),
            exclusive=True,
            needs_cluster=True,
        )
        for role in Role
    ),
    *(
        Scenario(
            f"broker-frozen-{role.name.lower().replace('_', '-')}",
            f"The broker that is {role} hangs under load, longer than every time-out.",
            _frozen(role),
            exclusive=True,
            needs_cluster=True,
        )
        for role in Role
    ),
)
