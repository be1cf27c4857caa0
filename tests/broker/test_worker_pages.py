"""The pages of running workers: what they say while the worker starts, works and has company."""

import asyncio
import json
from typing import TYPE_CHECKING, cast

import aiohttp
import pytest

from streams.demo.worker_process import WorkerProcess
from streams.instruments.registry import load_registry
from streams.intake.decoder import Decoder
from streams.processing.stream_task import Coder
from streams.worker.app import create_app
from streams.worker.tuning import Tuning
from tests.fleet import WAIT_SECONDS_MAX, Fleet

if TYPE_CHECKING:
    from faust.app.base import BootStrategy

pytestmark = pytest.mark.kafka

MISCONFIGURED = 78


async def pages_of(worker: WorkerProcess) -> str:
    """Where the pages of *worker* are, by its log, once they are."""
    async with asyncio.timeout(WAIT_SECONDS_MAX):
        while True:
            said = [json.loads(line) for line in worker.log_tail().splitlines() if line.startswith("{")]
            for line in said:
                if line["event"] == "web_started":
                    return f"http://{line['host']}:{line['port']}"
            await asyncio.sleep(0.05)


async def test_two_workers_with_one_port(fleet: Fleet) -> None:
    """Both are alive, become ready, and tell which partitions they have; neither tells of anything else."""
    workers = fleet.start(), fleet.start()
    addresses = [await pages_of(worker) for worker in workers]
    async with aiohttp.ClientSession() as session, asyncio.timeout(WAIT_SECONDS_MAX):
        for address in addresses:
            async with session.get(f"{address}/healthz") as alive:
                assert alive.status == 200
        for worker in workers:
            await fleet.until_tasks(worker, 2)
        fronts = []
        for address in addresses:
            async with session.get(f"{address}/readyz") as ready:
                assert (ready.status, await ready.text()) == (200, "ready\n")
            async with session.get(address) as front:
                fronts.append(await front.text())

    assert len(set(addresses)) == 2
    told = [front.splitlines()[2].split("partitions: ")[1].split(", ") for front in fronts]
    assert sorted(partition for one in told for partition in one) == ["0", "1", "2", "3"]
    assert all(f"policy {fleet.policy.id}, version {fleet.policy.version}\n" in front for front in fronts)
    assert await asyncio.to_thread(fleet.stop_all) == [0, 0]


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
