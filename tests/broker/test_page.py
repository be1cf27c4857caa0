"""The page of a running worker, in a browser: what happens to the group is there to see within seconds."""

import asyncio
import re

import pytest
from playwright.async_api import expect

from streams.demo.health_system.generation import generate
from streams.local_kafka.local_broker import LocalKafka
from tests.fleet import Fleet, pause, resume
from tests.page.browser import open_browser

pytestmark = pytest.mark.kafka

RECORDS = generate(seed=5, episodes=40).records
PATIENCE_MS = 60_000
WELL = re.compile("idle|up to date")


async def test_a_bad_day(fleet: Fleet, kafka: LocalKafka) -> None:
    """A worker is killed and its records wait, until the other has them; that one freezes; the broker freezes."""
    settings = fleet.settings.model_copy(update={"lag_seconds_high": 3.0})
    told, killed = fleet.start(settings), fleet.start(settings)
    for worker in (told, killed):
        await fleet.until_tasks(worker, 2)

    async with open_browser() as browser:
        page = await browser.new_page()
        page.set_default_timeout(PATIENCE_MS)
        expect.set_options(timeout=PATIENCE_MS)
        await page.goto(await fleet.pages_of(told))
        condition, connection = page.locator("#condition"), page.locator("#connection")
        phases = page.locator("#workers .phase")
        await expect(condition).to_have_text("idle")
        await expect(phases).to_have_text(["working", "working"])

        killed.kill()
        await fleet.send(RECORDS)
        await expect(condition).to_have_text("behind")
        await expect(phases.filter(has_text="silent")).to_have_count(1)
        await expect(page.locator("#alert-list")).to_contain_text("has not reported")
        await expect(condition).to_have_text(WELL)
        await expect(page.locator("#corrections")).to_contain_text("new")
        await expect(page.locator("#readout")).to_contain_text("nothing waiting")

        pause(told)
        await expect(connection).to_contain_text("The worker says nothing")
        resume(told)
        await expect(connection).to_contain_text("live")

        kafka.pause()
        try:
            await expect(condition).to_have_text("broken")
            await expect(page.locator("#sentence")).to_contain_text("The brokers cannot be asked")
        finally:
            kafka.resume()
        await expect(condition).to_have_text(WELL)

    assert await asyncio.to_thread(fleet.stop_all) == [0]
