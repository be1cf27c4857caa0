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

from streams.instruments.registry import load_registry
from streams.intake.decoder import Decoder
from streams.kafka.clock import now_ms
from streams.policies.policy_loading import load_policy
from streams.processing.task_coder import Coder
from streams.processing.topology import Topology
from streams.settings import Settings
from streams.web.access import WebAccess, web_access
from streams.worker.app import create_app
from streams.worker.faust_transport import BatchTransport
from streams.worker.last_words import Ending, LastWords
from streams.worker.observer import WorkObserver
from streams.worker.outlook import Outlook, create_outlook
from streams.worker.preflight import preflight
from streams.worker.refusal import RefusedError
from streams.worker.self_report import WorkerIdentity
from streams.worker.slot import WorkerSlot
from streams.worker.step_log import StepLog
from streams.worker.tuning import Tuning
from streams.worker.watchdog import Watchdog, print_stacks
from streams.worker.worker_metrics import WorkerMetrics

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
        SystemExit: It cannot go on; `streams.worker.ending` has the codes.
    """
    tuning = tuning or Tuning()
    topology = Topology(settings.app_id, settings.topic_prefix)
    policy = load_policy(settings.policy, load_registry())
    access = web_access(settings)
    counts = asyncio.run(preflight(settings, topology))
    with WorkerSlot(settings.data_dir, settings.app_id) as slot:
        _log.info(
            "worker_started",
            app_id=settings.app_id,
            slot=slot.number,
            policy=policy.id,
            policy_version=policy.version,
        )
        words = LastWords(slot.words_path)
        coder = Coder(Decoder(policy.instruments), policy, topology, counts, follows_traces=settings.follow_traces)
        worker = _created(settings, coder, access, place=slot.name, words=words, tuning=tuning)
        _collect_garbage_seldom()
        _execute(worker)
        signal.signal(signal.SIGTERM, signal.SIG_IGN)  # it has stopped: being told again changes nothing
        words.leave(Ending.STOPPED)
        _log.info("worker_stopped", exit_code=0)


def _created(  # noqa: PLR0913 - the composition root is handed all that differs
    settings: Settings, coder: Coder, access: WebAccess | None, *, place: str, words: LastWords, tuning: Tuning
) -> "_Worker":
    """A worker with all that watches it; the watchdog does already."""
    identity = WorkerIdentity(settings.app_id, place, coder.policy, words.begin(), now_ms())
    metrics = WorkerMetrics(now_ms)
    observer: WorkObserver = StepLog(metrics)
    if settings.follow_traces:
        observer = _traced(observer, settings)
    app = create_app(settings, coder, place=place, tuning=tuning, observer=observer, end=words.end_process)
    worker = _Worker(app, override_logging=False, redirect_stdouts=False, quiet=True)
    worker.stop_seconds_max = tuning.stop_seconds_max
    worker.spinner = None  # it would show the terminal's cursor, into a log file too
    worker.end = words.end_process
    transport = cast("BatchTransport", app.transport)
    watchdog = _watchdog(worker, transport, tuning)
    worker.outlook = create_outlook(
        settings,
        identity,
        tasks=transport.tasks,
        task_count=coder.task_count,
        metrics=metrics,
        watchdog=watchdog,
        access=access,
        tuning=tuning,
    )
    watchdog.start()
    return worker


def _watchdog(worker: "_Worker", transport: BatchTransport, tuning: Tuning) -> Watchdog:
    def end_stalled(stalled: Exception) -> NoReturn:
        try:
            print_stacks(worker.loop)
        finally:
            worker.end(stalled)

    return Watchdog(
        loop=worker.loop,
        consumer_loop=transport.consumer_loop,
        tasks=lambda: transport.tasks.progress,
        consumer=transport.consumer_progress,
        on_stall=end_stalled,
        tuning=tuning,
    )


def _traced(observer: WorkObserver, settings: Settings) -> WorkObserver:
    try:
        from streams.worker.step_traces import StepTraces, span_processor  # noqa: PLC0415 - an extra
    except ImportError:
        message = "G9603_FOLLOW_TRACES needs OpenTelemetry: pip install 'g9603[traces]', or leave it off."
        raise RefusedError(message) from None
    return StepTraces(observer, span_processor(), service=settings.app_id)


def _execute(worker: "_Worker") -> None:
    try:
        worker.execute_from_commandline()
    except SystemExit as ended:
        if ended.code not in {0, None}:  # Faust has said why
            worker.end(ended)
    except Exception as error:  # noqa: BLE001 - whatever it is, the worker has not stopped in good order
        worker.end(error)


class _Worker(faust.Worker):
    """Faust's worker, which always ends on SIGTERM; Faust's own may wait for ever (reliability.md, F27)."""

    stop_seconds_max: float
    end: Callable[[BaseException], NoReturn]
    outlook: Outlook

    async def on_execute(self) -> None:
        await super().on_execute()
        await self.outlook.start()  # before the group is joined: a restore can be waited for at /readyz

    async def on_shutdown(self) -> None:
        await self.outlook.stop()
        await super().on_shutdown()

    def _schedule_shutdown(self, signal: signal.Signals) -> None:
        # A thread: the event loop may be what does not answer.
        give_up = threading.Timer(self.stop_seconds_max, self.end, [TimeoutError(f"not stopped after {signal.name}")])
        give_up.daemon = True
        with suppress(RuntimeError, MemoryError):  # no memory for a thread: then without it
            give_up.start()
        super()._schedule_shutdown(signal)

    def _crash(self, reason: BaseException) -> None:
        """Called where any of Faust's services has failed. Faust would stop them in good order, and exit with 1."""
        self.end(reason)

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
