"""Watches the group that a worker belongs to, and lets the group know of the worker; the work goes on without it."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import suppress
from typing import Any

import aiokafka.errors as kafka_errors
import structlog

from streams.kafka.broker_access import AccessDeniedError, BrokerNotTrustedError, BrokerUnreachableError
from streams.kafka.group_lag import GroupLag, group_lag
from streams.kafka.report_topic import ReportTopic, report_topic
from streams.monitoring.group_monitor import GroupMonitor
from streams.monitoring.worker_report import WorkerReport
from streams.monitoring.workers_seen import STOPPED
from streams.processing.topology import Topology
from streams.worker.tuning import Tuning

WATCH_CLIENT_ID = "g9603-watch"
"""By it the brokers' logs and quotas tell these connections from those that code."""
_LAST_WORD_SECONDS_MAX = 2.0
_FAULTS = (
    kafka_errors.KafkaError,
    BrokerUnreachableError,
    AccessDeniedError,
    BrokerNotTrustedError,
    OSError,
    TimeoutError,
)

_log = structlog.get_logger(__name__)


class GroupWatch:
    """Looks at the group every few seconds.

    Args:
        connection: Options of an aiokafka client.
        topology: What the group reads, and where its workers report.
        monitor: Takes in what is seen and heard.
        report: What this worker says of itself, in the phase given or in its own.
        on_look: Called after each look that the brokers answered.
        clock_ms: Unix time in milliseconds.
        tuning: How often, and for how long.
    """

    def __init__(  # noqa: PLR0913 - it joins what is seen, heard and told
        self,
        connection: Mapping[str, Any],
        topology: Topology,
        *,
        monitor: GroupMonitor,
        report: Callable[[str | None], WorkerReport],
        on_look: Callable[[], None],
        clock_ms: Callable[[], int],
        tuning: Tuning,
    ) -> None:
        self._connection = {**connection, "client_id": WATCH_CLIENT_ID}
        self._topology = topology
        self._monitor = monitor
        self._report = report
        self._on_look = on_look
        self._clock_ms = clock_ms
        self._tuning = tuning
        self._looked = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._reports: ReportTopic | None = None

    def start(self) -> None:
        """Look, until `stop`."""
        self._task = asyncio.create_task(self._run(), name="group-watch")

    async def stop(self) -> None:
        """Say a last word, and look no more."""
        if self._task is None:
            return
        with suppress(*_FAULTS):
            async with asyncio.timeout(_LAST_WORD_SECONDS_MAX):
                if self._reports is not None:
                    await self._reports.tell(self._report(STOPPED))
        self._task.cancel()
        await asyncio.wait([self._task])

    async def looks(self) -> AsyncIterator[None]:
        """Comes round after each look, or where there has been none for some time."""
        while True:
            yield
            with suppress(TimeoutError):
                async with asyncio.timeout(self._tuning.monitor_seconds_max):
                    await self._looked.wait()

    async def _run(self) -> None:
        while True:
            try:
                await self._watch()
            except _FAULTS as error:
                self._fail(error)
            await asyncio.sleep(self._tuning.monitor_interval_seconds)

    async def _watch(self) -> None:
        topology, now_ms = self._topology, self._clock_ms()
        async with (
            group_lag(self._connection, topology.app_id, topology.sources) as lag,
            report_topic(self._connection, topology.worker_reports, now_ms=now_ms, tells=True) as reports,
        ):
            self._reports = reports
            try:
                while True:
                    await self._look(lag, reports)
                    await asyncio.sleep(self._tuning.monitor_interval_seconds)
            finally:
                self._reports = None

    async def _look(self, lag: GroupLag, reports: ReportTopic) -> None:
        own = self._report(None)
        self._monitor.take_report(own)
        try:
            async with asyncio.timeout(self._tuning.monitor_seconds_max):
                self._monitor.take_reading(await lag.read(self._clock_ms()))
                await reports.tell(own)
                for report in await reports.heard():
                    self._monitor.take_report(report)
        except _FAULTS as error:
            self._fail(error)
            return
        self._on_look()
        self._come_round()

    def _fail(self, error: Exception) -> None:
        sentence = str(error) if isinstance(error, AccessDeniedError | BrokerNotTrustedError) else "no answer"
        self._monitor.take_failure(sentence, self._clock_ms())
        _log.warning("group_not_seen", error=error)
        self._come_round()

    def _come_round(self) -> None:
        looked, self._looked = self._looked, asyncio.Event()
        looked.set()
