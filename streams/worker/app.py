"""The composition root of a worker: every part is made here, and handed to those that use it."""

import asyncio
import gc
import os
import signal
import threading
from collections.abc import Collection, Mapping
from typing import Any, NoReturn

import faust
import structlog

from streams.instruments.registry import load_registry
from streams.intake.decoder import Decoder
from streams.kafka.broker_access import is_denial
from streams.kafka.connection import connection_options
from streams.policies.policy_loading import load_policy
from streams.processing.access import Right, Role, rights_of
from streams.processing.stream_task import Coder
from streams.processing.topology import Topology
from streams.settings import Settings
from streams.worker.access_watch import watch_access
from streams.worker.broker_credentials import broker_credentials
from streams.worker.faust_transport import BatchTransport, receive_batches
from streams.worker.preflight import preflight
from streams.worker.restorer import ChangelogRestorer
from streams.worker.slot import WorkerSlot
from streams.worker.task_manager import TaskManager
from streams.worker.transactional_writer import TransactionalWriter
from streams.worker.tuning import Tuning

EXIT_DOUBT = 70
"""The worker stopped because going on was not safe; start it again (EX_SOFTWARE)."""
EXIT_DENIED = 77
"""The worker stopped because the brokers denied it access; it takes a person to mend that (EX_NOPERM)."""

_ALLOCATIONS_PER_COLLECTION = 50_000

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
        SystemExit: With 0 after a graceful stop.
    """
    tuning = tuning or Tuning()
    topology = Topology(settings.app_id, settings.topic_prefix)
    policy = load_policy(settings.policy, load_registry())
    counts = asyncio.run(preflight(settings, topology))
    with WorkerSlot(settings.data_dir, settings.app_id) as slot:
        coder = Coder(Decoder(policy.instruments), policy, topology, counts)
        app = create_app(settings, coder, transactional_id=slot.transactional_id, tuning=tuning)
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
        worker.execute_from_commandline()


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


def _collect_garbage_seldom() -> None:
    """Millions of small values live for one step and hold no cycles; looking through them for any is time lost."""
    gc.freeze()
    gc.set_threshold(_ALLOCATIONS_PER_COLLECTION, 20, 100)


def create_app(settings: Settings, coder: Coder, *, transactional_id: str, tuning: Tuning) -> faust.App:
    """A Faust app whose agent feeds the stream tasks."""
    connection = connection_options(settings)
    tasks = create_tasks(settings, connection, coder, transactional_id=transactional_id, tuning=tuning)
    app = faust.App(
        settings.app_id,
        broker=[f"kafka://{server.strip()}" for server in settings.bootstrap_servers.split(",")],
        broker_credentials=broker_credentials(connection),
        datadir=str(settings.data_dir / "faust"),
        store="memory://",
        web_enabled=False,
        # "In a transaction" to Faust: it reads committed records only, and tells of rebalances. The
        # transactions themselves are ours.
        processing_guarantee="exactly_once",
        topic_disable_leader=True,
        topic_allow_declare=False,
        consumer_auto_offset_reset="earliest",
        consumer_max_fetch_size=tuning.fetch_bytes_max,
        broker_check_crcs=settings.check_crcs,
        broker_max_poll_records=tuning.poll_records_max,
        broker_session_timeout=tuning.session_timeout_seconds,
        broker_heartbeat_interval=tuning.heartbeat_interval_seconds,
        broker_rebalance_timeout=tuning.rebalance_timeout_seconds,
        stream_buffer_maxsize=16,
        stream_recovery_delay=0.0,
        key_serializer="raw",
        value_serializer="raw",
    )
    app.transport = BatchTransport(app, tasks)
    channel = app.topic(*coder.topology.sources, key_serializer="raw", value_serializer="raw")

    @app.agent(channel, name="stream-tasks")
    async def stream_tasks(stream: faust.StreamT[bytes]) -> None:
        await receive_batches(stream, tasks)

    if app.conf.broker_credentials is not None:
        _watch_access(app, connection, rights_of(Role.WORKER, coder.topology), tuning)
    return app


def _watch_access(app: faust.App, connection: Mapping[str, Any], rights: Collection[Right], tuning: Tuning) -> None:
    async def access_watch() -> None:
        await watch_access(connection, rights, every_seconds=tuning.access_check_seconds, on_denied=end_process)

    app.task(access_watch)


def create_tasks(
    settings: Settings, connection: Mapping[str, Any], coder: Coder, *, transactional_id: str, tuning: Tuning
) -> TaskManager:
    """The worker's stream tasks on Kafka: state from the changelog, steps as transactions."""
    changelog = coder.topology.episodes_changelog
    return TaskManager(
        coder,
        restorer=ChangelogRestorer(connection, topic=changelog, task_count=coder.task_count, tuning=tuning),
        writer=TransactionalWriter(
            connection, group_id=settings.app_id, transactional_id=transactional_id, tuning=tuning
        ),
        on_failure=end_process,
        tuning=tuning,
    )


def end_process(error: BaseException) -> NoReturn:
    """End at once, without a word to the broker: what is in doubt is decided by the next start.

    A graceful way out would commit, abort or leave the group in the name of a worker that does not know
    where it stands.
    """
    exit_code = EXIT_DENIED if is_denial(error) else EXIT_DOUBT
    reason = repr(error) if error.__cause__ is None else f"{error!r} from {error.__cause__!r}"
    _log.critical("worker_failed", error=reason, exit_code=exit_code)
    os._exit(exit_code)
