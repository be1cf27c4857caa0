"""The composition root of a worker: every part is made here, and handed to those that use it."""

import asyncio
import gc
import os
import signal
import threading
from typing import NoReturn, cast

import faust
import structlog

from streams.instruments.registry import load_registry
from streams.intake.decoder import Decoder
from streams.kafka.connection import connection_options
from streams.kafka.group_member import MembershipLostError
from streams.policies.policy_loading import load_policy
from streams.processing.stream_task import Coder
from streams.processing.topology import Topology
from streams.settings import Settings
from streams.worker.faust_transport import BatchTransport, PatientTableManager, receive_batches
from streams.worker.input_positions import PositionCheckedRestorer, parse_jumps
from streams.worker.preflight import preflight
from streams.worker.refusal import RefusedError
from streams.worker.restorer import ChangelogRestorer
from streams.worker.slot import WorkerSlot
from streams.worker.task_manager import TaskManager
from streams.worker.transactional_writer import TransactionalWriter
from streams.worker.tuning import Tuning
from streams.worker.watchdog import StalledError, Watchdog, print_stacks

EXIT_DOUBT = 70
"""The worker stopped because going on was not safe; start it again (EX_SOFTWARE)."""

EXIT_REFUSED = 78
"""The surroundings are not fit to work in; somebody must mend them first (EX_CONFIG)."""

_ALLOCATIONS_PER_COLLECTION = 50_000

_log = structlog.get_logger(__name__)


def run_worker(settings: Settings, tuning: Tuning | None = None) -> None:
    """Join the group and work until SIGTERM or SIGINT.

    Raises:
        BrokerUnreachableError: No broker answers.
        RefusedError: The surroundings are not fit to work in.
        PolicyRefusedError: The policy is not fit to work by.
        SystemExit: With 0 after a graceful stop.
    """
    tuning = tuning or Tuning()
    topology = Topology(settings.app_id, settings.topic_prefix)
    policy = load_policy(settings.policy, load_registry())
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
        _run(worker, app, tuning)


def _run(worker: "_Worker", app: faust.App, tuning: Tuning) -> None:
    transport = cast("BatchTransport", app.transport)

    def end_stalled(stalled: StalledError) -> NoReturn:
        print_stacks(worker.loop)
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
    try:
        worker.execute_from_commandline()
    except SystemExit as ended:
        if ended.code not in {0, None}:  # Faust has said why
            end_process(ended)
        raise
    except Exception as error:  # noqa: BLE001 - whatever it is, the worker has not stopped in good order
        end_process(error)


class _Worker(faust.Worker):
    """Faust's worker, which always ends on SIGTERM; Faust's own may wait for ever (reliability.md, F27)."""

    stop_seconds_max: float

    def _schedule_shutdown(self, signal: signal.Signals) -> None:
        # A thread: the event loop may be what does not answer.
        give_up = threading.Timer(
            self.stop_seconds_max, end_process, [TimeoutError(f"not stopped after {signal.name}")]
        )
        give_up.daemon = True
        give_up.start()
        super()._schedule_shutdown(signal)

    def _crash(self, reason: BaseException) -> None:
        """Called where any of Faust's services has failed. Faust would stop them in good order, and exit with 1."""
        end_process(reason)

    def _enter_debugger(self) -> None:
        """Called on SIGUSR2: nothing. Faust would show memory, and so patient data, to whoever has the terminal."""


def _collect_garbage_seldom() -> None:
    """Millions of small values live for one step and hold no cycles; looking through them for any is time lost."""
    gc.freeze()
    gc.set_threshold(_ALLOCATIONS_PER_COLLECTION, 20, 100)


def create_app(settings: Settings, coder: Coder, *, place: str, tuning: Tuning) -> faust.App:
    """A Faust app whose agent feeds the stream tasks.

    Args:
        settings: Where and as whom.
        coder: What the tasks share.
        place: Both transactional id and group instance id. Whoever takes a place over in the group therefore
            also ends the transactions of the one before, and before it restores.
        tuning: Time-outs and sizes.
    """
    tasks = create_tasks(settings, coder, transactional_id=place, tuning=tuning)
    app = faust.App(
        settings.app_id,
        broker=[f"kafka://{server.strip()}" for server in settings.bootstrap_servers.split(",")],
        datadir=str(settings.data_dir / "faust"),
        store="memory://",
        web_enabled=False,
        # "In a transaction" to Faust: it reads committed records only, and tells of rebalances. The
        # transactions themselves are ours.
        processing_guarantee="exactly_once",
        topic_disable_leader=True,
        topic_allow_declare=False,
        consumer_group_instance_id=place,
        consumer_max_fetch_size=tuning.fetch_bytes_max,
        broker_check_crcs=settings.check_crcs,
        broker_max_poll_records=tuning.poll_records_max,
        broker_request_timeout=tuning.consumer_request_timeout_seconds,
        broker_session_timeout=tuning.session_timeout_seconds,
        broker_heartbeat_interval=tuning.heartbeat_interval_seconds,
        broker_rebalance_timeout=tuning.rebalance_timeout_seconds,
        broker_max_poll_interval=tuning.poll_interval_seconds_max,
        TableManager=PatientTableManager,
        stream_buffer_maxsize=16,
        stream_recovery_delay=0.0,
        key_serializer="raw",
        value_serializer="raw",
    )
    app.transport = BatchTransport(app, tasks, on_failure=end_process, leaves_group=settings.leave_group)
    channel = app.topic(*coder.topology.sources, key_serializer="raw", value_serializer="raw")

    @app.agent(channel, name="stream-tasks")
    async def stream_tasks(stream: faust.StreamT[bytes]) -> None:
        try:
            await receive_batches(stream, tasks)
        except Exception as error:  # noqa: BLE001 - Faust would start the agent anew, behind the records that failed
            end_process(error)

    return app


def create_tasks(settings: Settings, coder: Coder, *, transactional_id: str, tuning: Tuning) -> TaskManager:
    """The worker's stream tasks on Kafka: state from the changelog, steps as transactions."""
    connection = connection_options(settings)
    changelog = coder.topology.episodes_changelog
    restorer = ChangelogRestorer(connection, topic=changelog, task_count=coder.task_count, tuning=tuning)
    return TaskManager(
        coder,
        restorer=PositionCheckedRestorer(
            restorer,
            connection,
            partition_counts={topic: coder.partition_counts[topic] for topic in coder.topology.sources},
            task_count=coder.task_count,
            jumps=parse_jumps(settings.read_on),
        ),
        writer=TransactionalWriter(
            connection, group_id=settings.app_id, transactional_id=transactional_id, tuning=tuning
        ),
        on_failure=end_process,
        tuning=tuning,
    )


def end_process(error: BaseException) -> NoReturn:
    """End at once, without a word to the broker: what is in doubt is decided by the next start.

    A graceful way out would commit, abort or leave the group in the name of a worker that does not know
    where it stands. What somebody must mend first has an exit code of its own.
    """
    code = EXIT_REFUSED if isinstance(error, RefusedError) else EXIT_DOUBT
    _log.critical("worker_failed", error=_said(error), exit_code=code)
    os._exit(code)


def _said(error: BaseException) -> str:
    return str(error) if isinstance(error, RefusedError | StalledError | MembershipLostError) else repr(error)
