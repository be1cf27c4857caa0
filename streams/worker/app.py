"""The composition root of a worker: every part is made here, and handed to those that use it."""

import asyncio
import gc
import os
import signal
import threading
from typing import NoReturn

import faust
import structlog

from streams.instruments.registry import load_registry
from streams.intake.decoder import Decoder
from streams.kafka.connection import connection_options
from streams.policies.policy_loading import load_policy
from streams.processing.stream_task import Coder
from streams.processing.topology import Topology
from streams.settings import Settings
from streams.worker.faust_transport import BatchTransport, receive_batches
from streams.worker.preflight import preflight
from streams.worker.restorer import ChangelogRestorer
from streams.worker.slot import WorkerSlot
from streams.worker.task_manager import TaskManager
from streams.worker.transactional_writer import TransactionalWriter
from streams.worker.tuning import Tuning

EXIT_DOUBT = 70
"""The worker stopped because going on was not safe; start it again (EX_SOFTWARE)."""

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
    tasks = create_tasks(settings, coder, transactional_id=transactional_id, tuning=tuning)
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
        consumer_auto_offset_reset="earliest",
        consumer_max_fetch_size=tuning.fetch_bytes_max,
        broker_check_crcs=settings.check_crcs,
        broker_max_poll_records=tuning.poll_records_max,
        broker_session_timeout=tuning.session_timeout_seconds,
        broker_heartbeat_interval=tuning.heartbeat_interval_seconds,
        broker_rebalance_timeout=tuning.rebalance_timeout_seconds,
        # JoinGroup is answered when the whole group has come together. By default 90 s: so long would a partition stand
        # still whose fetch is not answered.
        broker_request_timeout=tuning.rebalance_timeout_seconds + tuning.session_timeout_seconds,
        # Faust's own producer asks for a producer id before the worker joins, and waits 20 min for it by default.
        producer_request_timeout=tuning.session_timeout_seconds,
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

    return app


def create_tasks(settings: Settings, coder: Coder, *, transactional_id: str, tuning: Tuning) -> TaskManager:
    """The worker's stream tasks on Kafka: state from the changelog, steps as transactions."""
    connection = connection_options(settings)
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
    _log.critical("worker_failed", error=repr(error), exit_code=EXIT_DOUBT)
    os._exit(EXIT_DOUBT)
