"""Runs many trials on one Kafka: several at a time, and those that touch the brokers alone."""

import asyncio
from collections.abc import Callable, Sequence

from tests.chaos.kafka_under_test import KafkaUnderTest
from tests.chaos.scenario import Scenario
from tests.chaos.trial_run import run_trial
from tests.chaos.verdict import Verdict


async def run_campaign(
    scenarios: Sequence[Scenario],
    *,
    seed: int,
    kafka: KafkaUnderTest,
    parallel: int,
    on_verdict: Callable[[Verdict], None],
) -> list[Verdict]:
    """The verdicts on *scenarios*, in the order in which they came in.

    Args:
        scenarios: What is run.
        seed: Of every trial.
        kafka: Runs; is healed after each scenario that touches it.
        parallel: How many of the others run at a time. Most of a trial is waiting for a session to time out.
        on_verdict: Told of each.
    """
    verdicts: list[Verdict] = []
    places = asyncio.Semaphore(parallel)

    async def run(scenario: Scenario) -> None:
        async with places:
            verdict = await run_trial(scenario, seed, kafka)
        verdicts.append(verdict)
        on_verdict(verdict)

    # First those that touch the brokers: the fewer topics there are, the sooner is a broker back.
    for scenario in scenarios:
        if scenario.exclusive:
            try:
                await run(scenario)
            finally:
                await asyncio.to_thread(kafka.heal)
    async with asyncio.TaskGroup() as group:
        for scenario in scenarios:
            if not scenario.exclusive:
                group.create_task(run(scenario))
    return verdicts
