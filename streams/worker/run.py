"""A worker as a process: from its settings to its exit code."""

import asyncio
import gc
import signal
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import NoReturn, cast

import faust
import structlog

from streams.domain.policy import Policy
from streams.instruments.registry import load_registry
from streams.intake.decoder import Decoder
from streams.policies.policy_loading import load_policy
from streams.processing.stream_task import Coder
from streams.processing.topology import Topology
from streams.settings import Settings
from streams.web.access import WebAccess, web_access
from streams.web.server import WebServer
from streams.worker.app import create_app
from streams.worker.ending import end_process
from streams.worker.faust_transport import BatchTransport
from streams.worker.preflight import preflight
from streams.worker.slot import WorkerSlot
from streams.worker.status import StatusOfTasks
from streams.worker.task_manager import TaskManager
from streams.worker.tuning import Tuning
from streams.worker.watchdog import Watchdog, print_stacks

_ALLOCATIONS_PER_COLLECTION = 500_000

_log = structlog.get_logger(__name__)


def run_worker(settings: Settings, tuning: Tuning | None = None) -> None:
    """Join the group and work until SIGTERM or SIGINT.

    Raises:
        BrokerUnreachableError: No broker answers.
        AccessDeniedError: The brokers do not let us in, or a right is missing.
        BrokerNotTrustedError: What answers is not the broker that the settings describe.
        CredentialsRefusedError: A file of the credentials is not fit.
        RefusedError: The surroundings are not fit to work in.
        PolicyRefusedError: The policy is not fit to work by.
        WebRefusedError: The pages cannot be served as the settings say.
        SystemExit: With 0 after a graceful stop.
    """
    tuning = tuning or Tuning()
    topology = Topology(settings.app_id, settings.topic_prefix)
    policy = load_policy(settings.policy, load_registry())
    access = web_access(settings)
    counts = asyncio.run(preflight(settings, topology))
    with WorkerSlot(settings.data_dir, settings.app_id) as slot:
        coder = Coder(Decoder(policy.instruments), policy, topology, counts)
        app = create_app(settings, coder, place=slot.name, tuning=tuning)
        _log.info(
            "worker_started",
            app_id=settings.app_id,
            slot=slot.number,
            policy=policy.id,
            policy_version=policy.version,
        )
        _collect_garbage_seldom()
        worker = _Worker(app, override_logging=False, redirect_stdouts=False, quiet=True)
        worker.stop_seconds_max = tuning.stop_seconds_max
        worker.spinner = None  # it would show the terminal's cursor, into a log file too
        tasks = cast("BatchTransport", app.transport).tasks
        worker.pages = create_pages(
            access, tasks, clock=worker.loop.time, policy=policy, group=settings.app_id, tuning=tuning
        )
        _watch(worker, cast("BatchTransport", app.transport), tuning)
        _execute(worker)


def create_pages(  # noqa: PLR0913 - what is told, and when it is trouble
    access: WebAccess | None,
    tasks: TaskManager,
    *,
    clock: Callable[[], float],
    policy: Policy,
    group: str,
    tuning: Tuning,
) -> WebServer | None:
    """The worker's pages, their port taken; None where the settings want none.

    Raises:
        WebRefusedError: They cannot be where the settings want them.
    """
    if access is None:
        return None
    status = StatusOfTasks(
        lambda: tasks.progress,
        lambda: tasks.partitions,
        clock,
        policy=policy,
        group=group,
        stall_seconds_max=tuning.step_stall_seconds,
    )
    return WebServer(access, status)


def _watch(worker: "_Worker", transport: BatchTransport, tuning: Tuning) -> None:
    def end_stalled(stalled: Exception) -> NoReturn:
        try:
            print_stacks(worker.loop)
        finally:
            end_process(stalled)

    watchdog = Watchdog(
        loop=worker.loop,
        consumer_loop=transport.consumer_loop,
        tasks=lambda: transport.tasks.progress,
        consumer=transport.consumer_progress,
        on_stall=end_stalled,
        tuning=tuning,
    )
    watchdog.start()


def _execute(worker: "_Worker") -> None:
    try:
        worker.execute_from_commandline()
    except SystemExit as ended:
        if ended.code not in {0, None}:  # Faust has said why
            end_process(ended)
        _log.info("worker_stopped", exit_code=0)
        signal.signal(signal.SIGTERM, signal.SIG_IGN)  # it has stopped: being told again changes nothing
        raise
    except Exception as error:  # noqa: BLE001 - whatever it is, the worker has not stopped in good order
        end_process(error)


class _Worker(faust.Worker):
    """Faust's worker, which always ends on SIGTERM; Faust's own may wait for ever (reliability.md, F27)."""

    stop_seconds_max: float
    pages: WebServer | None

    async def on_execute(self) -> None:
        await super().on_execute()
        if self.pages is not None:  # before the group is joined: a restore can be waited for at /readyz
            await self.pages.start()

    async def on_shutdown(self) -> None:
        if self.pages is not None:
            await self.pages.stop()
        await super().on_shutdown()

    def _schedule_shutdown(self, signal: signal.Signals) -> None:
        # A thread: the event loop may be what does not answer.
        give_up = threading.Timer(
            self.stop_seconds_max, end_process, [TimeoutError(f"not stopped after {signal.name}")]
        )
        give_up.daemon = True
        with suppress(RuntimeError, MemoryError):  # no memory for a thread: then without it
            give_up.start()
        super()._schedule_shutdown(signal)

    def _crash(self, reason: BaseException) -> None:
        """Called where any of Faust's services has failed. Faust would stop them in good order, and exit with 1."""
        end_process(reason)

    def _on_sigusr1(self) -> None:
        # Faust's own prints every thread's local variables, which are patient data.
        _log.warning("signal_ignored", signal="SIGUSR1")

    def _on_sigusr2(self) -> None:
        # Faust's own opens a debugger in the middle of the work.
        _log.warning("signal_ignored", signal="SIGUSR2")


def _collect_garbage_seldom() -> None:
    """Millions of small values live for one step and hold no cycles; looking through them for any is time lost."""
    gc.freeze()
    gc.set_threshold(_ALLOCATIONS_PER_COLLECTION, 20, 100)
