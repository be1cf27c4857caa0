"""Answers that are lost, and commits that come late: what a worker has asked for may have been done, or be done yet."""

from collections.abc import Awaitable, Callable

from streams.cli.console import ExitCode
from tests.chaos.faults import Effect, Hold, Lose, LoseSilently, Rule, Way, process
from tests.chaos.flow import flowing
from tests.chaos.kafka_wire import ApiKey
from tests.chaos.scenario import Scenario
from tests.chaos.trial import Trial
from tests.chaos.worker_under_test import WorkerUnderTest

_COUNT = 2
_SKIPPED_MAX = 20
_UNKNOWN = "No answer came to EndTxn: only the brokers know whether the last step was committed."
"""The last words of a worker that does not know."""


async def until_hit(trial: Trial, rule: Rule, times: int = 1) -> None:
    """Wait until *rule* has met so many messages."""

    async def hit() -> bool:
        return rule.hits >= times

    await trial.until(hit, f"{rule.effect} meets {times} messages of {rule.api_key}")


def _answer_lost(api_key: ApiKey, effect: Effect) -> Callable[[Trial], Awaitable[None]]:
    """The answers to some requests are lost, in the middle of the load, one at a time."""

    async def run(trial: Trial) -> None:
        for _ in range(2):
            trial.start()
        skips = [trial.random.randrange(_SKIPPED_MAX) for _ in range(_COUNT)]
        async with flowing(trial):
            for skipped in skips:
                with trial.cluster.network.under(
                    Rule(effect, api_key, Way.ANSWER, trial.is_own, skip=skipped, times=1)
                ) as rule:
                    await until_hit(trial, rule)
                    trial.fault(f"the answer to one {api_key.name} is lost, after {skipped} that are not")
                await trial.until_working()
        if api_key is ApiKey.END_TXN:
            trial.expect_said(_UNKNOWN)

    return run


def _init_producer_id_lost(effect: Effect) -> Callable[[Trial], Awaitable[None]]:
    """The answer that gives a starting worker its producer id is lost; the id was given all the same."""

    async def run(trial: Trial) -> None:
        trial.start()
        async with flowing(trial):
            with trial.cluster.network.under(
                Rule(effect, ApiKey.INIT_PRODUCER_ID, Way.ANSWER, trial.is_own, times=1)
            ) as rule:
                starting = trial.start()
                await until_hit(trial, rule)
                trial.fault(f"the answer to the INIT_PRODUCER_ID of {starting.name} is lost")
                await trial.until_tasks(starting, 2)
                trial.healed(f"{starting.name} has asked again, and has its tasks")

    return run


async def end_txn_comes_late(trial: Trial) -> None:
    """A commit is held in the network; its worker gives up, its successor works, and then the commit arrives.

    Under the first protocol of transactions a late EndTxn ends whatever transaction is open under its producer epoch:
    repeated under the same epoch, as aiokafka does by itself, it would tear the next one (KIP-890).
    """
    victim = trial.start()
    async with flowing(trial):
        rule = Rule(Hold(), ApiKey.END_TXN, Way.REQUEST, process(victim.pid), skip=5, times=1)
        with trial.cluster.network.under(rule):
            await until_hit(trial, rule)
            trial.fault(f"an END_TXN of {victim.name} is held in the network")
            await until_replaced(trial, victim)
            await trial.until_working()
            trial.fault("and arrives while another worker is at work")
        await trial.until_working()


async def end_txn_answer_comes_late(trial: Trial) -> None:
    """A commit is done, and its answer is held in the network until the worker has given up."""
    victim = trial.start()
    trial.start()
    async with flowing(trial):
        rule = Rule(Hold(), ApiKey.END_TXN, Way.ANSWER, process(victim.pid), skip=5, times=1)
        with trial.cluster.network.under(rule):
            await until_hit(trial, rule)
            trial.fault(f"the answer to an END_TXN of {victim.name} is held in the network")
            await until_replaced(trial, victim)
            trial.expect(victim, ExitCode.DOUBT, _UNKNOWN)
            await trial.until_working()
        trial.healed("and let go")


async def until_replaced(trial: Trial, worker: WorkerUnderTest) -> None:
    """Wait until *worker* has ended in doubt; its supervisor starts another."""

    async def ended() -> bool:
        return worker.exit_code is not None

    await trial.until(ended, f"{worker.name} gives up")


_ASKED = (ApiKey.PRODUCE, ApiKey.FETCH, ApiKey.ADD_PARTITIONS_TO_TXN, ApiKey.TXN_OFFSET_COMMIT, ApiKey.END_TXN)


def _named(api_key: ApiKey) -> str:
    return api_key.name.lower().replace("_", "-")


SCENARIOS = (
    *(
        Scenario(
            f"answer-lost-{_named(api_key)}{suffix}",
            f"Answers to {api_key.name} are lost, {told}.",
            _answer_lost(api_key, effect),
            in_subset=isinstance(effect, Lose) and api_key in (ApiKey.END_TXN, ApiKey.TXN_OFFSET_COMMIT),
            needs_cluster=True,
        )
        for api_key in _ASKED
        for effect, suffix, told in (
            (Lose(), "", "and the connection with them"),
            (LoseSilently(), "-in-silence", "and the connection stays open"),
        )
    ),
    *(
        Scenario(
            f"answer-lost-init-producer-id{suffix}",
            "The answer that gives a starting worker its producer id is lost.",
            _init_producer_id_lost(effect),
            needs_cluster=True,
        )
        for effect, suffix in ((Lose(), ""), (LoseSilently(), "-in-silence"))
    ),
    Scenario(
        "end-txn-comes-late",
        "A commit is held in the network until its worker has given up and its successor works; then it arrives.",
        end_txn_comes_late,
        needs_cluster=True,
    ),
    Scenario(
        "end-txn-answer-comes-late",
        "A commit is done, and its answer is held in the network until the worker has given up.",
        end_txn_answer_comes_late,
        needs_cluster=True,
    ),
)
