"""Brokers that run out of something: of disk, or of patience with a producer that has nothing to say."""

import asyncio

from tests.chaos.flow import flow, flowing
from tests.chaos.roles import Role, broker_of
from tests.chaos.scenario import Scenario
from tests.chaos.trial import Trial

_FULL_SECONDS = 6.0
_FORGETFUL = {
    "transactional.id.expiration.ms": "4000",
    "transaction.remove.expired.transaction.cleanup.interval.ms": "500",
    "producer.id.expiration.ms": "4000",
    "producer.id.expiration.check.interval.ms": "500",
}
_IDLE_SECONDS = 12.0


async def disk_full(trial: Trial) -> None:
    """The disk of the broker that leads the changelog is full; what it could not write, it must not have promised."""
    for _ in range(2):
        trial.start()
    async with flowing(trial):
        node = await broker_of(trial, Role.PARTITION_LEADER)
        broker = trial.cluster.brokers[node]
        trial.fault(f"broker {node} can write nothing more")
        broker.fill_disk()
        await trial.pause(_FULL_SECONDS)
        trial.note(f"broker {node} {'runs' if broker.running else 'has ended'}")
        broker.free_disk()
        await asyncio.to_thread(broker.start)
        trial.healed(f"broker {node} has room again")
        await trial.until_working()


async def producer_expires(trial: Trial) -> None:
    """The brokers forget a worker's producer while there is nothing to do; then there is."""
    await asyncio.to_thread(trial.cluster.reconfigure, _FORGETFUL)
    first, second = trial.parts(2)
    trial.start()
    await trial.send(first)
    await trial.until_done()
    trial.fault("nothing is sent until the brokers have forgotten the worker's transactional id")
    await trial.pause(_IDLE_SECONDS)
    await flow(trial, second)  # which sends again what such brokers forget the sender of
    await trial.until_done()


SCENARIOS = (
    Scenario("broker-disk-full", disk_full.__doc__ or "", disk_full, exclusive=True, needs_cluster=True),
    Scenario("producer-expires", producer_expires.__doc__ or "", producer_expires, exclusive=True, needs_cluster=True),
)
