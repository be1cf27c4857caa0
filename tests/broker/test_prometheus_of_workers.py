"""A real Prometheus scrapes running workers: every panel of the dashboard, every rule, gets what it asks for."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import yaml

from streams.demo.health_system.generation import generate
from streams.local_kafka.guarded_process import GuardedProcess
from streams.local_kafka.loopback import free_ports
from tests.deploy.programs import program
from tests.deploy.queries import DASHBOARD_FILES, PROMETHEUS_FOLDER, panel_queries, rule_queries
from tests.fleet import WAIT_SECONDS_MAX, Fleet, in_parts

pytestmark = pytest.mark.kafka

RECORDS = generate(seed=5, episodes=400).records
GRAFANA_WORDS = {"$__rate_interval": "15s", "$job": ".*"}


class Prometheus:
    """A running one, and its API."""

    def __init__(self, address: str, session: aiohttp.ClientSession) -> None:
        self._address = address
        self._session = session

    async def ask(self, path: str, **parameters: str) -> Any:  # noqa: ANN401 - whatever Prometheus says
        """The data of an answer."""
        async with self._session.get(f"{self._address}/api/v1/{path}", params=parameters) as response:
            answer = await response.json()
        assert answer["status"] == "success", (path, parameters, answer)
        return answer["data"]

    async def value_of(self, query: str) -> list[Any]:
        """The series of *query*, as of now."""
        for word, meaning in GRAFANA_WORDS.items():
            query = query.replace(word, meaning)
        answered: list[Any] = (await self.ask("query", query=query))["result"]
        return answered


def configuration(targets: list[str]) -> Mapping[str, Any]:
    """That of deploy/, but for where the workers are, and how often they are asked."""
    told = yaml.safe_load((PROMETHEUS_FOLDER / "prometheus.yml").read_text())
    (job,) = told["scrape_configs"]
    scraped = {"job_name": job["job_name"], "static_configs": [{"targets": targets}]}
    return {
        "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
        "rule_files": [str(PROMETHEUS_FOLDER / path) for path in told["rule_files"]],
        "scrape_configs": [scraped],
    }


@pytest.fixture
async def prometheus(fleet: Fleet, tmp_path: Path) -> AsyncIterator[Prometheus]:
    """One that scrapes two workers."""
    port, *pages = free_ports(3)
    for page in pages:
        fleet.start(fleet.settings.model_copy(update={"web_port": page}))
    folder = tmp_path / "prometheus"
    folder.mkdir()
    (folder / "prometheus.yml").write_text(yaml.safe_dump(configuration([f"127.0.0.1:{page}" for page in pages])))
    command = [program("prometheus"), f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/data"]
    command.append(f"--web.listen-address=127.0.0.1:{port}")
    with GuardedProcess(command, folder=folder, log_path=tmp_path / "prometheus.log"):
        async with aiohttp.ClientSession() as session, asyncio.timeout(WAIT_SECONDS_MAX):
            address = f"http://127.0.0.1:{port}"
            while not await _is_ready(session, address):
                await asyncio.sleep(0.1)
            yield Prometheus(address, session)


async def _is_ready(session: aiohttp.ClientSession, address: str) -> bool:
    try:
        async with session.get(f"{address}/-/ready") as response:
            return response.status == 200
    except aiohttp.ClientConnectionError:
        return False


async def test_every_panel_shows_something(fleet: Fleet, prometheus: Prometheus) -> None:
    """While records come in, in parts, so that there are rates; garbage, corrections and re-keyed ones among them."""
    panels = [query for path in DASHBOARD_FILES for query in panel_queries(path)]
    waiting = set(panels)
    for part in in_parts(RECORDS, 20):
        await fleet.send(part)
        waiting = {query for query in waiting if not await prometheus.value_of(query.expression)}
        await asyncio.sleep(0.5)
    await fleet.until_done()
    deadline = asyncio.get_running_loop().time() + WAIT_SECONDS_MAX / 2
    while waiting and asyncio.get_running_loop().time() < deadline:
        waiting = {query for query in waiting if not await prometheus.value_of(query.expression)}
        await asyncio.sleep(0.5)

    assert sorted(query.place for query in waiting) == []
    # The garbage is of a few kinds, more than ten of some: that is the one thing to warn of.
    firing = await prometheus.value_of('ALERTS{alertstate="firing"}')
    assert {series["metric"]["alertname"] for series in firing} == {"G9603DeadLettersRise"}
    await _assert_rules_evaluate(prometheus)
    assert await asyncio.to_thread(fleet.stop_all) == [0, 0]


async def _assert_rules_evaluate(prometheus: Prometheus) -> None:
    groups = (await prometheus.ask("rules"))["groups"]
    evaluated = {rule["name"]: rule["health"] for group in groups for rule in group["rules"]}

    assert set(evaluated) == {query.place for query in rule_queries()}
    assert set(evaluated.values()) == {"ok"}
