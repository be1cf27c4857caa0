"""What must be found: the same attack on Faust as it comes. A harness that finds nothing here proves nothing."""

import sys
from collections.abc import Sequence
from pathlib import Path

from bench.workload import Workload
from streams.demo.health_system.wire import InputRecord
from tests.chaos import controls
from tests.chaos.collection import collect
from tests.chaos.controls.counting import examine
from tests.chaos.failpoint import Action, Failpoint, Guard, Moment, Point
from tests.chaos.faults import Hold, LoseSilently, Rule, Way, process
from tests.chaos.invariants import Judgement, judge
from tests.chaos.kafka_wire import ApiKey
from tests.chaos.load import Partitioner
from tests.chaos.scenario import Scenario, sentence_of
from tests.chaos.topic_surgery import configure
from tests.chaos.trial import Trial

_APP = Path(controls.__path__[0]) / "faust_app.py"
_EPISODES = 800
_EPISODES_OF_FEW = 80
_KILLS = 4


def _load(trial: Trial) -> list[InputRecord]:
    """Records of many episodes, each at home in the partition of its episode: the easiest of all inputs."""
    events = Workload(trial.scenario.episodes).events()
    return [InputRecord("survey-completed", event.episode_id.encode(), event.value, (), "survey") for event in events]


def _command(trial: Trial, guarantee: str) -> Sequence[str]:
    told = (f"CHAOS_GUARANTEE={guarantee}", f"CHAOS_PARTITIONS={trial.scenario.partitions}")
    return ("env", *told, sys.executable, str(_APP), "worker", "--loglevel", "warn", "--without-web")


def _control(guarantee: str, words: str) -> Scenario:
    async def run(trial: Trial) -> None:
        command = _command(trial, guarantee)
        load = _load(trial)
        size = -(-len(load) // (_KILLS + 1))
        await _make_table(trial)
        for _ in range(2):
            trial.start(command=command)
        for start in range(0, len(load), size):
            await trial.send(load[start : start + size], partitioner=Partitioner.MURMUR2)
            if start:
                await _until_told(trial, len(trial.billing.records) + 1)
                trial.kill(trial.random.choice(trial.workers))
                trial.start(command=command)

    return Scenario(
        f"control-faust-{guarantee.replace('_', '-')}",
        f"Faust {words}: two workers, killed at random. Something must be found.",
        run,
        episodes=_EPISODES,
        examine=examine,
    )


async def _make_table(trial: Trial) -> None:
    """Make the changelog of Faust's table as Faust would, which does not wait until it hears of it, and may fall."""
    name = f"{trial.topology.app_id}-counts-changelog"
    await trial.create_topic(name, {"cleanup.policy": "compact"}, replication=1)


async def _until_told(trial: Trial, count: int) -> None:
    async def told() -> bool:
        return len(trial.billing.records) >= count

    await trial.until(told, f"{count} records are told")


async def refused_and_killed(trial: Trial) -> None:
    """Faust at least once, when the brokers refuse what it tells, and killed after telling and before committing.

    Nothing of it is left to chance: it commits behind what was refused, and what was not committed is told again.
    """
    command = _command(trial, "at_least_once")
    load = _load(trial)
    refused, repeated = load[: len(load) // 2], load[len(load) // 2 :]
    billing = next(s for s in trial.topology.specifications if s.name == trial.topology.coding_events)
    await configure(trial, billing.name, {**billing.config, "max.message.bytes": "1"})
    trial.fault("the billing topic refuses every record")
    await _make_table(trial)
    doomed = trial.start(command=command)
    await trial.send(refused, partitioner=Partitioner.MURMUR2)
    await trial.until_done()
    await configure(trial, billing.name, billing.config)
    trial.healed("the billing topic takes records again")
    uncommitted = Rule(LoseSilently(), ApiKey.OFFSET_COMMIT, Way.REQUEST, process(doomed.pid))
    with trial.cluster.network.under(uncommitted):
        await trial.send(repeated, partitioner=Partitioner.MURMUR2)
        await _until_told(trial, len(repeated) // 2)  # a broker that hears late of its new limit refuses some more
        trial.kill(doomed)
    trial.start(command=command)


async def examine_both(trial: Trial) -> Judgement:
    """What is said of Faust, and nothing where either of the two was not found."""
    judgement = await examine(trial)
    if not judgement.lost or not judgement.doubled:
        judgement.violations.clear()
    return judgement


async def without_group_fencing(trial: Trial) -> None:
    """A worker without KIP-447 is frozen before it begins a step, and wakes up when another has done it: found.

    What it would hear of the group is held, so that it does not end before it commits, as it would by chance.
    """
    await trial.send(trial.load)
    failpoint = Failpoint(
        Point.BEFORE_BEGIN, Moment.MIDDLE, Action.STOP, input_count=len(trial.load), without=Guard.GROUP_FENCING
    )
    frozen = trial.start(failpoint)
    await trial.until_frozen(frozen)
    survivor = trial.start()
    await trial.until_tasks(survivor, trial.scenario.partitions)
    await trial.until_done()
    network, own = trial.cluster.network, process(frozen.pid)
    deaf = [Rule(Hold(), api_key, Way.ANSWER, own) for api_key in (ApiKey.HEARTBEAT, ApiKey.JOIN_GROUP)]
    with network.under(deaf[0]), network.under(deaf[1]):
        frozen.thaw()
        trial.fault(f"SIGCONT {frozen.name}")
        await trial.until_working()
    trial.healed(f"{frozen.name} hears of the group again")


async def examine_worker(trial: Trial) -> Judgement:
    """What is said of the worker itself."""
    return judge(await collect(trial))


SCENARIOS = (
    Scenario(
        "control-without-group-fencing",
        sentence_of(without_group_fencing),
        without_group_fencing,
        needs_cluster=True,
        examine=examine_worker,
    ),
    Scenario(
        "control-faust-refused-and-killed",
        sentence_of(refused_and_killed),
        refused_and_killed,
        in_subset=True,
        needs_cluster=True,
        episodes=_EPISODES_OF_FEW,
        examine=examine_both,
    ),
    _control("at_least_once", "at least once"),
    _control("exactly_once", "with its own exactly-once"),
)
