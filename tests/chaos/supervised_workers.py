"""The workers of a trial, with a supervisor: who lives, who has ended, and was it asked to?"""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from streams.cli.console import ExitCode
from streams.settings import Settings
from tests.chaos.failpoint import Failpoint
from tests.chaos.faults import Client
from tests.chaos.scenario import Scenario
from tests.chaos.timeline import Kind, Timeline
from tests.chaos.worker_under_test import WorkerUnderTest

_POLL_SECONDS = 0.1
_RESTARTED = {ExitCode.DOUBT, ExitCode.UNAVAILABLE}
"""After these a supervisor starts a worker again, as the README says."""


class SupervisedWorkers:
    """Starts and ends workers, notes it in the timeline, and starts those again that have ended in doubt.

    Args:
        scenario: How many may end in doubt, and whether they are workers of ours.
        settings: Of the workers.
        folder: For their logs.
    """

    def __init__(self, scenario: Scenario, settings: Settings, folder: Path) -> None:
        self.scenario = scenario
        self.settings = settings
        self.folder = folder
        self.timeline = Timeline()
        self.workers: list[WorkerUnderTest] = []
        """Those that live or should."""
        self.former_workers: list[WorkerUnderTest] = []
        self.faults_of_processes: list[str] = []
        """Ends of workers that nobody asked for, and that doubt does not explain."""
        self.restart_count = 0
        self._started_count = 0

    def start(
        self,
        failpoint: Failpoint | None = None,
        *,
        settings: Settings | None = None,
        poll_records_max: int = 100,
        command: Sequence[str] | None = None,
    ) -> WorkerUnderTest:
        """Start one more worker: that of production, one that fails at *failpoint*, or another program."""
        self._started_count += 1
        name = f"worker-{self._started_count}"
        started = failpoint.command(poll_records_max=poll_records_max) if failpoint is not None else command
        worker = WorkerUnderTest(name, settings or self.settings, self.folder / f"{name}.log", started)
        worker.restart_command = command
        self.workers.append(worker)
        told = "" if failpoint is None else f", to {failpoint.action} at {failpoint.point}, {failpoint.moment}"
        self.note(f"{name} started (process {worker.pid}){told}")
        return worker

    def kill(self, worker: WorkerUnderTest) -> None:
        """SIGKILL."""
        self.fault(f"SIGKILL {worker.name}")
        worker.kill()
        self.dismiss(worker)

    def dismiss(self, worker: WorkerUnderTest) -> None:
        """*worker* has ended as the scenario wanted; nobody starts it again."""
        if worker in self.workers:
            self.workers.remove(worker)
            self.former_workers.append(worker)

    def expect(self, worker: WorkerUnderTest, code: int, *words: str) -> None:
        """Hold that *worker* ended with *code*, and that its last words say *words*."""
        if worker.exit_code != code:
            self.faults_of_processes.append(f"{worker.name} ended with {worker.exit_code}, not with {code}")
        said = worker.log_text()
        self.faults_of_processes += [f"{worker.name} does not say: {word}" for word in words if word not in said]

    def expect_said(self, words: str) -> None:
        """Hold that some worker says *words*."""
        if not any(words in text for text in self.log_texts().values()):
            self.faults_of_processes.append(f"no worker says: {words}")

    def is_own(self, client: Client) -> bool:
        """Whether *client* of a proxy is a worker of this trial; those of others may run beside it."""
        return any(client.is_process(worker.pid) for worker in list(self.workers))

    def note(self, text: str) -> None:
        """A line of the timeline."""
        self.timeline.add(Kind.NOTE, text)

    def fault(self, text: str) -> None:
        """A fault is injected now."""
        self.timeline.add(Kind.FAULT, text)

    def healed(self, text: str) -> None:
        """A fault is taken back now."""
        self.timeline.add(Kind.HEALED, text)

    @asynccontextmanager
    async def supervised(self) -> AsyncIterator[None]:
        """Do what a supervisor does while the block runs, and leave no worker behind it."""
        supervision = asyncio.create_task(self._supervise())
        try:
            yield
        finally:
            supervision.cancel()
            with suppress(asyncio.CancelledError):
                await supervision
            for worker in (*self.workers, *self.former_workers):
                if worker.running:
                    worker.kill()

    async def stop_workers(self) -> None:
        """SIGTERM to all; each should end with 0."""
        workers, self.workers = self.workers, []
        self.former_workers += workers
        codes = await asyncio.gather(*(asyncio.to_thread(worker.stop) for worker in workers))
        for worker, code in zip(workers, codes, strict=True):
            if code != ExitCode.DONE and code not in worker.excused:
                self.faults_of_processes.append(f"{worker.name} ended with {code} after SIGTERM")

    def log_texts(self) -> Mapping[str, str]:
        """All that every worker has said."""
        return {worker.name: worker.log_text() for worker in (*self.former_workers, *self.workers)}

    async def _supervise(self) -> None:
        while True:
            for worker in [worker for worker in self.workers if not worker.running]:
                self._attend_to(worker)
            await asyncio.sleep(_POLL_SECONDS)

    def _attend_to(self, worker: WorkerUnderTest) -> None:
        code = worker.exit_code
        self.dismiss(worker)
        self.note(f"{worker.name} ended with {code}")
        if code in worker.excused:
            return
        if code not in _RESTARTED and self.scenario.examine is None:
            self.faults_of_processes.append(f"{worker.name} ended with {code}, and nobody had asked it to")
        elif self.restart_count >= self.scenario.restarts_max:
            self.faults_of_processes.append(f"workers ended in doubt more than {self.scenario.restarts_max} times")
        else:
            self.restart_count += 1
            self.start(settings=worker.settings, command=worker.restart_command)
