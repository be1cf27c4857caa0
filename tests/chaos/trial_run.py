"""Runs one trial from its topics to its verdict."""

import asyncio
import tempfile
import traceback
from pathlib import Path

from tests.chaos.collection import collect
from tests.chaos.invariants import Invariant, Judgement, judge
from tests.chaos.kafka_under_test import KafkaUnderTest
from tests.chaos.scenario import Scenario
from tests.chaos.trial import Trial, TrialFailedError
from tests.chaos.verdict import Verdict

TRIAL_SECONDS_MAX = 420.0
_LOG_LINES = 12


async def run_trial(
    scenario: Scenario, seed: int, kafka: KafkaUnderTest, *, seconds_max: float = TRIAL_SECONDS_MAX
) -> Verdict:
    """Run *scenario*; whatever goes wrong stands in the verdict."""
    with tempfile.TemporaryDirectory(prefix="g9603-chaos-") as folder:
        trial = Trial(scenario, seed, kafka, Path(folder))
        told: list[str] = []
        judgement = Judgement(0, 0)
        try:
            async with asyncio.timeout(seconds_max), trial.supervised():
                recovered_at, judgement = await _attack(trial, told)
        except Exception:  # noqa: BLE001 - the harness's own failure is a verdict as well
            recovered_at = None
            told.append(f"{Invariant.LIVENESS}: the trial did not come to its end: {traceback.format_exc(limit=4)}")
        await trial.delete_topics()
        told += [f"{invariant}: {sentence}" for invariant, sentence in judgement.violations]
        finding = ""
        if scenario.examine is not None:
            finding = "; ".join(_firsts(told))
            told = [] if judgement.violations else ["nothing was found, where something must be: the harness is blind"]
        trouble = trial.timeline.last_trouble_seconds
        return Verdict(
            scenario=scenario.name,
            seed=seed,
            faults=trial.timeline.fault_count,
            records=judgement.record_count,
            codes=judgement.code_count,
            lost=judgement.lost,
            doubled=judgement.doubled,
            recovery_seconds=None if recovered_at is None or trouble is None else max(0.0, recovered_at - trouble),
            restarts=trial.restart_count,
            seconds=trial.timeline.now(),
            violations=told,
            finding=finding,
            timeline=list(map(str, trial.timeline.lines)),
            last_words={} if not told else {name: _tail(text) for name, text in trial.log_texts().items()},
        )


async def _attack(trial: Trial, told: list[str]) -> tuple[float | None, Judgement]:
    """Attack, wait for the end, and judge; when nothing was left to do, and what the evidence says."""
    await trial.create_topics()
    recovered_at = None
    async with trial.billing.running():
        try:
            await trial.scenario.run(trial)
            if not trial.is_refused:
                await trial.until_done()
                recovered_at = trial.timeline.now()
                trial.note("nothing is left to do")
        except TrialFailedError as error:
            trial.note(str(error))
            told.append(f"{Invariant.LIVENESS}: {error}")
        await trial.stop_workers()
        if trial.scenario.examine is not None:
            return recovered_at, await trial.scenario.examine(trial)
        evidence = await collect(trial)
    # In a thread: what is judged is some thousand records, and other trials run beside this one.
    return recovered_at, await asyncio.to_thread(judge, evidence)


def _firsts(told: list[str]) -> list[str]:
    """The first sentence of each invariant, and how many more there are."""
    by_invariant: dict[str, list[str]] = {}
    for sentence in told:
        by_invariant.setdefault(sentence.partition(":")[0], []).append(sentence)
    return [
        f"{sentences[0]} (and {len(sentences) - 1} more)" if len(sentences) > 1 else sentences[0]
        for _, sentences in sorted(by_invariant.items())
    ]


def _tail(text: str) -> str:
    return "\n".join(text.splitlines()[-_LOG_LINES:])
