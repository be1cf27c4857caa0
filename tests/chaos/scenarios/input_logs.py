"""Input logs with holes: aborted transactions, open ones, records that retention took before they were read."""

from aiokafka import AIOKafkaProducer

from streams.cli.console import ExitCode
from streams.kafka.connection import client_options
from tests.chaos.load import Partitioner
from tests.chaos.scenario import Scenario, sentence_of
from tests.chaos.topic_surgery import (
    SEEN_BY_CLEANER,
    configure,
    delete_records,
    foreign_transaction,
    until_compacted,
    widen,
)
from tests.chaos.trial import Trial

_TRANSACTIONS = 30
_CLEANER_SECONDS = 3.0
"""For a compaction that had begun."""


async def transaction_gaps(trial: Trial) -> None:
    """A transactional producer, every third of whose transactions is aborted; workers are killed meanwhile."""
    for _ in range(2):
        trial.start()
    options = client_options(trial.connection)
    async with AIOKafkaProducer(**options, transactional_id=f"{trial.settings.app_id}-producer") as producer:
        for number, records in enumerate(trial.parts(_TRANSACTIONS)):
            await producer.begin_transaction()
            for record in records:
                topic = f"{trial.settings.topic_prefix}{record.topic}"
                await producer.send(topic, record.value, key=record.key, headers=list(record.headers))
            if number % 3 == 1:
                await producer.flush()
                await producer.abort_transaction()
            else:
                await producer.commit_transaction()
            if number % 10 == 9:
                trial.kill(trial.random.choice(trial.workers))
                trial.start()


async def open_transaction(trial: Trial) -> None:
    """A producer keeps a transaction open in an input for a while: what is behind it waits, and is read then."""
    first, second = trial.parts(2)
    trial.start()
    await trial.send(first)
    await trial.until_begun()
    async with foreign_transaction(trial, trial.topology.survey_completed, b"never to be seen", b"key"):
        await trial.send(second)
        trial.kill(trial.workers[0])
        trial.start()
        await trial.pause(trial.random.uniform(5.0, 8.0))


async def compaction_holes(trial: Trial) -> None:
    """An input is compacted for a while: no worker begins as long as it is, and then reads on, over the holes.

    What compaction takes before it was read is lost, which is why a worker does not begin; what it leaves counts.
    """
    first, second = trial.parts(2)
    survey_completed = next(s for s in trial.topology.specifications if s.name == trial.topology.survey_completed)
    former = trial.start()
    await trial.send(first)
    await trial.until_done()
    former.stop()
    trial.dismiss(former)
    await trial.remember_inputs()
    await trial.send(second)
    await configure(trial, survey_completed.name, {**SEEN_BY_CLEANER, "cleanup.policy": "compact"})
    refused = trial.start()
    await trial.until_ended(refused)
    trial.expect(refused, ExitCode.MISCONFIGURED, "compaction would drop records that count")
    await until_compacted(trial, survey_completed.name)
    await configure(trial, survey_completed.name, survey_completed.config)
    await trial.pause(_CLEANER_SECONDS)
    victim = trial.start()
    await trial.until_begun()
    trial.kill(victim)
    trial.start()


async def overtaken_while_stopped(trial: Trial) -> None:
    """Retention takes records while no worker runs: the next one refuses to read on as if nothing were missing."""
    first, second = trial.parts(2)
    former = trial.start()
    await trial.send(first)
    await trial.until_done()
    former.stop()
    trial.dismiss(former)
    await trial.send(second)
    await trial.remember_inputs()
    await delete_records(trial, trial.topology.survey_completed)
    worker = trial.start()
    await trial.until_ended(worker)
    trial.expect(worker, ExitCode.MISCONFIGURED, trial.topology.survey_completed)
    trial.is_refused = True


async def overtaken_while_running(trial: Trial) -> None:
    """Retention takes records that a running worker, frozen for a moment, has yet to read: it refuses to read on."""
    first, second = trial.parts(2)
    worker = trial.start()
    await trial.send(first)
    await trial.until_done()
    trial.fault(f"SIGSTOP {worker.name}")
    worker.freeze()
    await trial.send(second)
    await trial.remember_inputs()
    await delete_records(trial, trial.topology.survey_completed)
    # The treatments too: what a worker might read of them in its last moments is not to be looked at.
    await delete_records(trial, trial.topology.treatment_recorded)
    worker.thaw()
    trial.healed(f"SIGCONT {worker.name}")
    await trial.until_ended(worker)
    if worker.exit_code == ExitCode.DOUBT:  # it was frozen for longer than its session, and so will not even look
        worker = trial.start()
        await trial.until_ended(worker)
    trial.expect(worker, ExitCode.MISCONFIGURED, trial.topology.survey_completed)
    trial.is_refused = True


async def widened(trial: Trial) -> None:
    """An input gets more partitions than the state has, under load: a worker that comes refuses to begin.

    The one that is there does not know yet (clients ask for the partitions every five minutes), and goes on.
    """
    first, second = trial.parts(2)
    trial.start()
    await trial.send(first)
    await trial.until_begun()
    await widen(trial, trial.topology.survey_completed, trial.scenario.partitions + 1)
    newcomer = trial.start()
    await trial.until_ended(newcomer)
    trial.expect(newcomer, ExitCode.MISCONFIGURED, "may not be wider than the state")
    await trial.send(second, partitioner=Partitioner.CRC32)  # over the partitions that there were


SCENARIOS = (
    Scenario("input-transaction-gaps", sentence_of(transaction_gaps), transaction_gaps),
    Scenario("input-compaction-holes", sentence_of(compaction_holes), compaction_holes),
    Scenario("input-open-transaction", sentence_of(open_transaction), open_transaction),
    Scenario("input-overtaken-while-stopped", sentence_of(overtaken_while_stopped), overtaken_while_stopped),
    Scenario("input-overtaken-while-running", sentence_of(overtaken_while_running), overtaken_while_running),
    Scenario("input-widened", sentence_of(widened), widened),
)
