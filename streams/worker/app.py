"""The composition root of the work: Faust's app and the stream tasks, every part handed to those that use it."""

from collections.abc import Callable, Collection, Mapping
from typing import Any, NoReturn

import faust

from streams.kafka.connection import connection_options
from streams.kafka.fetch_progress import FetchProgress
from streams.kafka.sealing import sealing
from streams.processing.access import Right, Role, rights_of
from streams.processing.task_coder import Coder
from streams.settings import Settings
from streams.worker.access_watch import watch_access
from streams.worker.broker_credentials import broker_credentials
from streams.worker.ending import end_process
from streams.worker.faust_transport import BatchTransport, PatientTableManager, receive_batches
from streams.worker.inbox import Backlog
from streams.worker.input_positions import PositionCheckedRestorer, parse_jumps
from streams.worker.observer import WorkObserver
from streams.worker.restorer import ChangelogRestorer
from streams.worker.sealed_state import SealedRestorer, SealedWriter
from streams.worker.task_manager import TaskManager
from streams.worker.ticking import send_ticks
from streams.worker.transactional_writer import TransactionalWriter
from streams.worker.tuning import Tuning


def create_app(  # noqa: PLR0913 - the composition root is handed all that differs
    settings: Settings,
    coder: Coder,
    *,
    place: str,
    tuning: Tuning,
    observer: WorkObserver | None = None,
    end: Callable[[BaseException], NoReturn] = end_process,
) -> faust.App:
    """A Faust app whose agent feeds the stream tasks.

    Args:
        settings: Where and as whom.
        coder: What the tasks share.
        place: Both transactional id and group instance id. Whoever takes a place over in the group therefore
            also ends the transactions of the one before, and before it restores.
        tuning: Time-outs and sizes.
        observer: Is told what is done.
        end: Ends the process where going on is not safe.
    """
    connection = connection_options(settings)
    fetch_progress = FetchProgress()
    tasks = create_tasks(
        settings,
        connection,
        coder,
        transactional_id=place,
        backlog=fetch_progress,
        tuning=tuning,
        observer=observer,
        end=end,
    )
    app = faust.App(settings.app_id, **_faust_settings(settings, connection, place, tuning))
    app.transport = BatchTransport(
        app,
        tasks,
        fetch_progress=fetch_progress,
        tuning=tuning,
        on_failure=end,
        leaves_group=settings.leave_group,
    )
    channel = app.topic(*coder.topology.sources, key_serializer="raw", value_serializer="raw")

    @app.agent(channel, name="stream-tasks")
    async def stream_tasks(stream: faust.StreamT[bytes]) -> None:
        try:
            await receive_batches(stream, tasks)
        except Exception as error:  # noqa: BLE001 - Faust would start the agent anew, behind the records that failed
            end(error)

    if coder.policy.needs_time:
        _send_ticks(app, connection, coder.topology.ticks, tasks, tuning)
    if app.conf.broker_credentials is not None:
        _watch_access(app, connection, rights_of(Role.WORKER, coder.topology), tuning, end)
    return app


def _faust_settings(settings: Settings, connection: Mapping[str, Any], place: str, tuning: Tuning) -> dict[str, Any]:
    return {
        "broker": [f"kafka://{server.strip()}" for server in settings.bootstrap_servers.split(",")],
        "broker_credentials": broker_credentials(connection),
        "datadir": str(settings.data_dir / "faust"),
        "store": "memory://",
        "web_enabled": False,
        # "In a transaction" to Faust: it reads committed records only, and tells of rebalances. The
        # transactions themselves are ours.
        "processing_guarantee": "exactly_once",
        "topic_disable_leader": True,
        "topic_allow_declare": False,
        "consumer_group_instance_id": place,
        "consumer_max_fetch_size": tuning.fetch_bytes_max,
        "broker_check_crcs": settings.check_crcs,
        "broker_max_poll_records": tuning.poll_records_max,
        "broker_request_timeout": tuning.consumer_request_timeout_seconds,
        "broker_session_timeout": tuning.session_timeout_seconds,
        "broker_heartbeat_interval": tuning.heartbeat_interval_seconds,
        "broker_rebalance_timeout": tuning.rebalance_timeout_seconds,
        "broker_max_poll_interval": tuning.poll_interval_seconds_max,
        "TableManager": PatientTableManager,
        # Faust's own producer asks for a producer id before the worker joins, and waits 20 min for it by default.
        "producer_request_timeout": tuning.session_timeout_seconds,
        "stream_buffer_maxsize": 2,
        "stream_recovery_delay": 0.0,
        "key_serializer": "raw",
        "value_serializer": "raw",
    }


def _watch_access(
    app: faust.App,
    connection: Mapping[str, Any],
    rights: Collection[Right],
    tuning: Tuning,
    end: Callable[[BaseException], NoReturn],
) -> None:
    async def access_watch() -> None:
        await watch_access(connection, rights, every_seconds=tuning.access_check_seconds, on_denied=end)

    app.task(access_watch)


def _send_ticks(app: faust.App, connection: Mapping[str, Any], topic: str, tasks: TaskManager, tuning: Tuning) -> None:
    async def ticking() -> None:
        await send_ticks(connection, topic, partitions=lambda: set(tasks.tasks), tuning=tuning)

    app.task(ticking)


def create_tasks(  # noqa: PLR0913 - the same
    settings: Settings,
    connection: Mapping[str, Any],
    coder: Coder,
    *,
    transactional_id: str,
    backlog: Backlog,
    tuning: Tuning,
    observer: WorkObserver | None = None,
    end: Callable[[BaseException], NoReturn] = end_process,
) -> TaskManager:
    """The worker's stream tasks on Kafka: state from the changelog, steps as transactions."""
    changelog = coder.topology.episodes_changelog
    seal = sealing(settings, coder.topology)
    restorer = ChangelogRestorer(connection, topic=changelog, task_count=coder.task_count, tuning=tuning)
    writer = TransactionalWriter(
        connection, group_id=settings.app_id, transactional_id=transactional_id, tuning=tuning, observer=observer
    )
    return TaskManager(
        coder,
        restorer=PositionCheckedRestorer(
            SealedRestorer(restorer, seal),
            connection,
            partition_counts={topic: coder.partition_counts[topic] for topic in coder.topology.sources},
            task_count=coder.task_count,
            jumps=parse_jumps(settings.read_on),
        ),
        writer=SealedWriter(writer, seal),
        backlog=backlog,
        on_failure=end,
        tuning=tuning,
        observer=observer,
    )
