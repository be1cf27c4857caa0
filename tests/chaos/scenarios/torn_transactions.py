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
        late = Rule(Hold(), ApiKey.END_TXN, Way.REQUEST, owned, skip=5, times=1)
        repeated = Rule(Delay(0.0), ApiKey.END_TXN, Way.ANSWER, owned)
        unwritten = Rule(Hold(), ApiKey.PRODUCE, Way.REQUEST, owned, times=1)
        with network.under(late):
            await until_hit(trial, late)
            trial.fault(f"an END_TXN of {victim.name} is held in the network")
            network.add(repeated)
            await until_hit(trial, repeated)
            trial.note("it was repeated, and the next transaction begins")
            with network.under(unwritten, await broker_of(trial, Role.PARTITION_LEADER)):
                await until_hit(trial, unwritten)
                await trial.pause(_ARRIVES_SECONDS)  # the other brokers take their part
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
