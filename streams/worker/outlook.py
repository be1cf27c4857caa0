"""All that others see of a worker: its pages, its figures, its reports. The work goes on without any of it."""

from dataclasses import dataclass

from streams.domain.policy import Policy
from streams.kafka.clock import now_ms
from streams.kafka.connection import connection_options
from streams.kafka.owner_lookup import OwnerLookup
from streams.monitoring.group_monitor import GroupMonitor
from streams.monitoring.worker_report import WorkerReport
from streams.processing.topology import Topology
from streams.settings import Settings
from streams.web.access import WebAccess
from streams.web.server import WebServer
from streams.worker.episode_answers import EpisodeAnswers
from streams.worker.group_watch import WATCH_CLIENT_ID, GroupWatch
from streams.worker.peer_pages import advertised_url, peer_pages
from streams.worker.self_report import WorkerIdentity, self_report
from streams.worker.task_manager import TaskManager
from streams.worker.tuning import Tuning
from streams.worker.watchdog import Watchdog
from streams.worker.worker_metrics import WorkerMetrics
from streams.worker.worker_pages import WorkerPages


@dataclass(frozen=True, slots=True)
class Outlook:
    """What is seen of one worker."""

    watch: GroupWatch
    pages: WebServer | None
    """Their port taken; None where the settings want none."""
    answers: EpisodeAnswers

    async def start(self) -> None:
        """Show."""
        if self.pages is not None:
            await self.pages.start()
        self.watch.start()

    async def stop(self) -> None:
        """Show no more."""
        await self.watch.stop()
        if self.pages is not None:
            await self.pages.stop()
        await self.answers.close()


def create_outlook(  # noqa: PLR0913 - it shows all parts
    settings: Settings,
    identity: WorkerIdentity,
    *,
    tasks: TaskManager,
    task_count: int,
    metrics: WorkerMetrics,
    watchdog: Watchdog,
    access: WebAccess | None,
    tuning: Tuning,
) -> Outlook:
    """Join what shows a worker.

    Raises:
        WebRefusedError: The pages cannot be where the settings want them.
    """
    monitor = GroupMonitor(settings.app_id, lag_seconds_high=settings.lag_seconds_high)
    metrics.put_build(identity.build, identity.policy.id, identity.policy.version, identity.endings)

    def report(phase: str | None) -> WorkerReport:
        return self_report(
            identity,
            tasks,
            metrics,
            phase=phase or str(tasks.progress.phase),
            trouble=watchdog.trouble,
            now_ms=now_ms(),
            pages_url=url,
        )

    def put_group() -> None:
        if monitor.reading is not None:
            metrics.put_group(monitor.reading, monitor.catch_up_seconds, now_ms())

    watch = GroupWatch(
        connection_options(settings),
        Topology(settings.app_id, settings.topic_prefix),
        monitor=monitor,
        report=report,
        on_look=put_group,
        clock_ms=now_ms,
        tuning=tuning,
    )
    source = WorkerPages(
        tasks,
        watchdog,
        metrics,
        monitor=monitor,
        watch=watch,
        clock_ms=now_ms,
        ready_lag_seconds=settings.ready_lag_seconds,
    )
    answers = _answers(settings, identity.policy, tasks, task_count, monitor, access)
    pages = WebServer(access, source, answers) if access is not None else None
    url = advertised_url(settings, access, pages) if access is not None and pages is not None else None
    return Outlook(watch, pages, answers)


def _answers(  # noqa: PLR0913, PLR0917 - what an answer may take
    settings: Settings,
    policy: Policy,
    tasks: TaskManager,
    task_count: int,
    monitor: GroupMonitor,
    access: WebAccess | None,
) -> EpisodeAnswers:
    connection = {**connection_options(settings), "client_id": WATCH_CLIENT_ID}
    return EpisodeAnswers(
        tasks,
        policy,
        task_count,
        owners=OwnerLookup(connection, settings.app_id),
        pages_url=monitor.pages_url,
        peers=peer_pages(settings, access),
    )
