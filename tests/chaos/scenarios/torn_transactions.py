"""What must be found: a worker that repeats EndTxn under the same epoch, and whose first one comes late."""

import sys
from typing import TYPE_CHECKING

from tests.chaos.collection import collect
from tests.chaos.faults import Delay, Hold, Rule, Way, process
from tests.chaos.flow import flowing
from tests.chaos.invariants import judge
from tests.chaos.kafka_wire import ApiKey
from tests.chaos.roles import Role, broker_of
from tests.chaos.scenario import Scenario
from tests.chaos.scenarios.network_answers import until_hit
from tests.chaos.trial import Trial

if TYPE_CHECKING:
    from tests.chaos.invariants import Judgement

_COMMAND = (sys.executable, "-m", "tests.chaos.controls.repeating_worker")
_ARRIVES_SECONDS = 1.0


async def torn(trial: Trial) -> None:
    """The late EndTxn arrives when a part of the next transaction is written, and commits that part (KIP-890)."""
    network = trial.cluster.network
    victim = trial.start(command=_COMMAND)
    owned = process(victim.pid)
    async with flowing(trial):
        node = await broker_of(trial, Role.PARTITION_LEADER)
        others = [other for other in trial.cluster.brokers if other != node]
        late = Rule(Hold(), ApiKey.END_TXN, Way.REQUEST, owned, skip=5, times=1)
        # Nothing of the next transaction is on its way while the worker waits for the end of this one.
        unwritten = Rule(Hold(), ApiKey.PRODUCE, Way.REQUEST, owned, times=1)
        written = Rule(Delay(0.0), ApiKey.PRODUCE, Way.ANSWER, owned)
        with network.under(late):
            await until_hit(trial, late)
            trial.fault(f"an END_TXN of {victim.name} is held in the network")
            with network.under(unwritten, node), network.under(written, *others):
                await until_hit(trial, unwritten)
                await until_hit(trial, written)
                trial.note("it was repeated, and a part of the next transaction is written")
                network.lift(late)
                trial.fault("the first END_TXN arrives in the middle of the next transaction")
                await trial.pause(_ARRIVES_SECONDS)
        await trial.until_working()


async def _examine(trial: Trial) -> "Judgement":
    return judge(await collect(trial))


SCENARIOS = (
    Scenario(
        "control-end-txn-repeated",
        "A worker that repeats EndTxn, the first of which comes late. A torn transaction must be found.",
        torn,
        needs_cluster=True,
        examine=_examine,
    ),
)
