"""One fault after the other, drawn at random: of workers, of brokers, of the network between them."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from random import Random

from tests.chaos.faults import Delay, Lose, Rule, Way, process
from tests.chaos.kafka_wire import ApiKey
from tests.chaos.trial import Trial

_SESSION_SECONDS = 10.0
_SHORT_SECONDS = (0.5, 3.0)
_LONG_SECONDS = (0.5, 13.0)
"""Up to longer than a session, and than a transaction may take."""
_DELAY = Delay(0.02, 0.2)
_LOST = (ApiKey.PRODUCE, ApiKey.FETCH, ApiKey.TXN_OFFSET_COMMIT, ApiKey.END_TXN, ApiKey.HEARTBEAT)

Fault = Callable[[Trial, Random], Awaitable[None]]
"""Does something and takes it back, where that can be."""


async def _none(_trial: Trial, _random: Random) -> None:
    pass


async def _kill(trial: Trial, random: Random) -> None:
    trial.kill(random.choice(trial.workers))


async def _kill_all(trial: Trial, _random: Random) -> None:
    for worker in list(trial.workers):
        trial.kill(worker)


async def _freeze(trial: Trial, random: Random, *, at_least_seconds: float = 0.0) -> None:
    worker = random.choice(trial.workers)
    trial.fault(f"SIGSTOP {worker.name}")
    worker.freeze()
    await trial.pause(at_least_seconds + random.uniform(*_SHORT_SECONDS))
    worker.thaw()
    trial.healed(f"SIGCONT {worker.name}")


async def _zombie(trial: Trial, random: Random) -> None:
    await _freeze(trial, random, at_least_seconds=_SESSION_SECONDS)


async def _stop(trial: Trial, random: Random) -> None:
    worker = random.choice(trial.workers)
    trial.fault(f"SIGTERM {worker.name}")
    await trial.until_listening(worker)
    worker.terminate()
    await trial.until_ended(worker)


async def _broker_killed(trial: Trial, random: Random) -> None:
    node, broker = random.choice(list(trial.cluster.brokers.items()))
    trial.fault(f"SIGKILL broker {node}")
    await asyncio.to_thread(broker.kill)
    await trial.pause(random.uniform(*_SHORT_SECONDS))
    await _healed(trial)


async def _broker_frozen(trial: Trial, random: Random) -> None:
    node, broker = random.choice(list(trial.cluster.brokers.items()))
    trial.fault(f"SIGSTOP broker {node}")
    broker.pause()
    await trial.pause(random.uniform(*_LONG_SECONDS))
    await _healed(trial)


async def _broker_restarted(trial: Trial, random: Random) -> None:
    node, broker = random.choice(list(trial.cluster.brokers.items()))
    trial.fault(f"SIGTERM broker {node}")
    await asyncio.to_thread(broker.shut_down)
    await _healed(trial)


async def _cut(trial: Trial, random: Random) -> None:
    worker, node = random.choice(trial.workers), random.choice(list(trial.cluster.brokers))
    trial.fault(f"{worker.name} is cut off from broker {node}")
    with trial.cluster.network.cut(node, clients=process(worker.pid)):
        await trial.pause(random.uniform(*_LONG_SECONDS))
    trial.healed("the way is free again")


async def _hung(trial: Trial, random: Random) -> None:
    worker, node = random.choice(trial.workers), random.choice(list(trial.cluster.brokers))
    trial.fault(f"nothing passes between {worker.name} and broker {node}")
    with trial.cluster.network.hung(node, clients=process(worker.pid)):
        await trial.pause(random.uniform(*_LONG_SECONDS))
    trial.healed("all that was on the way arrives")


async def _reset(trial: Trial, _random: Random) -> None:
    trial.fault(f"{trial.cluster.network.reset(clients=trial.is_own)} connections are reset")


async def _slow(trial: Trial, random: Random) -> None:
    trial.fault("20 to 220 ms for every message")
    with trial.cluster.network.under(Rule(_DELAY, clients=trial.is_own)):
        await trial.pause(random.uniform(*_LONG_SECONDS))
    trial.healed("the network is as it was")


async def _answer_lost(trial: Trial, random: Random) -> None:
    api_key = random.choice(_LOST)
    rule = Rule(Lose(), api_key, Way.ANSWER, trial.is_own, skip=random.randrange(10), times=1)
    with trial.cluster.network.under(rule):
        await trial.pause(random.uniform(*_SHORT_SECONDS))
    trial.fault(f"{rule.hits} answers to {api_key.name} were lost")


async def _healed(trial: Trial) -> None:
    await asyncio.to_thread(trial.cluster.heal)
    trial.healed("all brokers are up, and all replicas in sync")


OF_WORKERS: Mapping[str, Fault] = {
    "none": _none,
    "worker killed": _kill,
    "all workers killed": _kill_all,
    "worker frozen": _freeze,
    "worker a zombie": _zombie,
    "worker stopped": _stop,
}
OF_CLUSTERS: Mapping[str, Fault] = {
    "broker killed": _broker_killed,
    "broker frozen": _broker_frozen,
    "broker restarted": _broker_restarted,
    "network cut": _cut,
    "network hangs": _hung,
    "connections reset": _reset,
    "network slow": _slow,
    "answer lost": _answer_lost,
}
"""Only where there are three brokers, and proxies before them."""
