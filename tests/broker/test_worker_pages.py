"""The pages of running workers, over a real Kafka: the whole group at each of them, and what a stuck one says."""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import TYPE_CHECKING, Any, cast

import aiohttp
import pytest
from prometheus_client.parser import text_string_to_metric_families

from streams.demo.health_system.generation import generate
from streams.demo.worker_process import WorkerProcess
from streams.instruments.registry import load_registry
from streams.intake.decoder import Decoder
from streams.processing.task_coder import Coder
from streams.worker.app import create_app
from streams.worker.ending import EXIT_DOUBT
from streams.worker.tuning import Tuning
from tests.fleet import WAIT_SECONDS_MAX, Fleet, pause, resume

if TYPE_CHECKING:
    from faust.app.base import BootStrategy

pytestmark = pytest.mark.kafka

MISCONFIGURED = 78
RECORDS = generate(seed=5, episodes=40).records


class Pages:
    """The pages of one worker."""

    def __init__(self, session: aiohttp.ClientSession, address: str) -> None:
        self._session = session
        self._address = address

    async def ask(self, path: str) -> tuple[int, str]:
        """Status and text of a page."""
        async with self._session.get(f"{self._address}{path}") as answered:
            return answered.status, await answered.text()

    async def view(self) -> dict[str, Any]:
        """The group."""
        _, text = await self.ask("/group")
        view: dict[str, Any] = json.loads(text)["view"]
        return view

    async def figures(self) -> Counter[str]:
        """Every figure of ours by its name, summed over its labels."""
        _, text = await self.ask("/metrics")
        samples = [sample for family in text_string_to_metric_families(text) for sample in family.samples]
        return Counter({name: sum(s.value for s in samples if s.name == name) for name in {s.name for s in samples}})


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    """Wait until *condition* holds."""
    async with asyncio.timeout(WAIT_SECONDS_MAX):
        while not await condition():
            await asyncio.sleep(0.1)


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    """Whoever asks."""
    async with aiohttp.ClientSession() as session:
        yield session


async def pages_of(fleet: Fleet, worker: WorkerProcess, session: aiohttp.ClientSession) -> Pages:
    """The pages of *worker*, once it says where they are."""
    return Pages(session, await fleet.pages_of(worker))


async def test_each_worker_shows_the_whole_group(fleet: Fleet, session: aiohttp.ClientSession) -> None:
    """Both tell the same of both; what each counts for itself adds up to what was sent; a killed one is noticed."""
    workers = [fleet.start(), fleet.start()]
    pages = [await pages_of(fleet, worker, session) for worker in workers]
    for worker in workers:
        await fleet.until_tasks(worker, 2)
    await fleet.send(RECORDS)
    await fleet.until_done()

    async def both_are_told() -> bool:
        views = [await one.view() for one in pages]
        return all(
            [worker["phase"] for worker in view["workers"]] == ["working", "working"]
            and sorted(p for worker in view["workers"] for p in worker["partitions"]) == [0, 1, 2, 3]
            and view["lag_records"] == 0
            and sum(coding["count"] for coding in view["codings"]) > 0
            for view in views
        )

    await until(both_are_told)
    letters = (await pages[0].view())["dead_letters"]
    assert letters
    assert all(letters.values()), "a reason that nothing was turned away for is none to look at"
    first, second = [await one.figures() for one in pages]
    counted = await fleet.recounted()
    assert first["g9603_group_members"] == second["g9603_group_members"] == 2
    assert first["g9603_coding_events_total"] + second["g9603_coding_events_total"] == sum(counted.actions.values())
    rekeyed = first["g9603_records_rekeyed_total"] + second["g9603_records_rekeyed_total"]
    consumed = first["g9603_records_consumed_total"] + second["g9603_records_consumed_total"]
    assert consumed == len(RECORDS) + rekeyed
    assert [(await one.ask(path))[0] for one in pages for path in ("/healthz", "/readyz")] == [200] * 4

    workers[0].kill()

    async def is_noticed() -> bool:
        view = await pages[1].view()
        return "G9603WorkerDown" in [alert["name"] for alert in view["alerts"]] and len(view["workers"]) == 2

    await until(is_noticed)


async def test_lag_rises_and_falls(fleet: Fleet, session: aiohttp.ClientSession) -> None:
    """A worker stands still while another looks on: the lag grows in records and in time, and goes when it moves."""
    standing, looking_on = fleet.start(), fleet.start(fleet.settings.model_copy(update={"lag_seconds_high": 2.0}))
    pages = await pages_of(fleet, looking_on, session)
    for worker in (standing, looking_on):
        await fleet.until_tasks(worker, 2)
    pause(standing)
    try:
        await fleet.send(RECORDS)

        async def is_behind() -> bool:
            view, figures = await pages.view(), await pages.figures()
            told = view["lag_records"] > 0 and view["condition"] in {"behind", "recovering"}
            return told and figures["g9603_lag_seconds"] > 2 and figures["g9603_lag_records"] > 0

        await until(is_behind)
    finally:
        resume(standing)

    async def has_caught_up() -> bool:
        view = await pages.view()
        return view["lag_records"] == 0 and view["condition"] in {"up to date", "idle"}

    await fleet.until_done()
    await until(has_caught_up)


async def test_a_stuck_worker_is_not_alive(fleet: Fleet, session: aiohttp.ClientSession) -> None:
    """Its process lives and its pages answer; whoever supervises it hears before the watchdog ends it."""
    worker = fleet.start_faulty("is-never-answered", tuning={"step_stall_seconds": 8})
    pages = await pages_of(fleet, worker, session)
    await fleet.send(RECORDS)

    async def is_unwell() -> bool:
        status, text = await pages.ask("/healthz")
        return status == 503 and text.startswith("no-step-committed, for ")

    await until(is_unwell)
    assert await fleet.ended(worker) == EXIT_DOUBT
    again = await pages_of(fleet, fleet.start(), session)
    assert (await again.figures())["g9603_worker_endings_total"] == 1


async def test_ready_within_the_lag_that_was_set(fleet: Fleet, session: aiohttp.ClientSession) -> None:
    """A worker that has far to go says so, and is alive."""
    await fleet.send(RECORDS)
    settings = fleet.settings.model_copy(update={"ready_lag_seconds": 0.5})
    fleet.workers.clear()
    worker = fleet.start_faulty("holds-writes", settings=settings)
    pages = await pages_of(fleet, worker, session)

    async def is_behind() -> bool:
        status, text = await pages.ask("/readyz")
        return status == 503 and text.startswith("behind by ")

    await until(is_behind)
    assert (await pages.ask("/healthz"))[0] == 200
    fleet.release.touch()

    async def is_ready() -> bool:
        return (await pages.ask("/readyz"))[0] == 200

    await until(is_ready)


async def test_a_worker_that_would_be_open_to_the_network(fleet: Fleet) -> None:
    """It does not start."""
    worker = fleet.start(fleet.settings.model_copy(update={"web_host": "0.0.0.0"}))  # noqa: S104 - to be refused

    assert await asyncio.to_thread(worker._process.wait, WAIT_SECONDS_MAX) == MISCONFIGURED  # noqa: SLF001
    assert "would open the worker's pages to the network" in worker.log_tail()
    fleet.workers.clear()


async def test_faust_serves_nothing(fleet: Fleet) -> None:
    """Its own pages show tables and routes to whoever asks: none of them is on, whatever ours do."""
    counts = {specification.name: 1 for specification in fleet.topology.specifications}
    coder = Coder(Decoder(load_registry()), fleet.policy, fleet.topology, counts)
    app = create_app(fleet.settings, coder, place="none", tuning=Tuning())

    assert app.conf.web_enabled is False
    assert list(cast("BootStrategy", app.boot_strategy).web_server()) == []
