"""Whom the page serves: by eye, ear or keyboard, on a small screen, with a token; and what it says when it cannot."""

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, Error, expect

from streams.monitoring.group_monitor import GroupMonitor
from streams.monitoring.worker_report import CodingCount, DeadLetterSeen
from tests.page.model_group import ModelGroup, ModelWorker
from tests.page.model_pages import ModelPages
from tests.page.scenes import SCENES, START_MS
from tests.page.visit import Open

pytestmark = pytest.mark.asyncio(loop_scope="module")

TOKEN = b"a token that nobody guesses"
CANARY = "<img src=x onerror=\"document.title='owned'\">"


@pytest.mark.parametrize(
    ("name", "scheme"),
    [
        *((name, "light") for name in ("idle", "up_to_date", "behind", "recovering", "broken", "empty")),
        *((name, "dark") for name in ("idle", "up_to_date", "behind", "recovering", "broken")),
    ],
)
async def test_everybody_can_read_it(visit: Open, name: str, scheme: str) -> None:
    """By the rules of axe-core, contrast included, in light and in dark."""
    opened = await visit(SCENES[name](), color_scheme=scheme)

    found = await Axe().run(opened.page)
    assert found.violations_count == 0, found.generate_report()


@pytest.mark.parametrize("name", ["behind", "wide"])
async def test_a_narrow_screen(visit: Open, name: str) -> None:
    """Nothing is cut off: what is too wide scrolls by itself."""
    opened = await visit(SCENES[name](), viewport={"width": 360, "height": 740})

    assert await opened.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    found = await Axe().run(opened.page)
    assert found.violations_count == 0, found.generate_report()


async def test_a_walk_by_keyboard(visit: Open) -> None:
    """Past the top to what is sought; what has the focus shows it; tables are sorted and time is travelled."""
    opened = await visit(SCENES["behind"]())
    page = opened.page
    focused = page.locator(":focus")

    await page.keyboard.press("Tab")
    await expect(focused).to_have_text("Skip to the figures")
    await page.keyboard.press("Enter")
    await expect(focused).to_have_id("figures")
    await page.keyboard.press("Tab")
    await expect(focused).to_have_id("cursor")
    await page.keyboard.press("ArrowLeft")
    await expect(page.locator("#readout")).to_contain_text("10:14:5")
    await page.keyboard.press("Home")
    await expect(page.locator("#readout")).to_contain_text("nothing waiting")

    await page.keyboard.press("Tab")
    await expect(focused).to_have_attribute("aria-label", "Workers of the group")
    await page.keyboard.press("Tab")
    await page.keyboard.press("Enter")
    workers = page.locator("#workers")
    await expect(workers.locator("th").first).to_have_attribute("aria-sort", "descending")
    await expect(workers.locator("tbody tr:not(.spacer)").first).to_contain_text("node-c-0")
    assert await focused.evaluate("button => getComputedStyle(button).outlineStyle") == "solid"


async def test_what_strangers_wrote_is_text(visit: Open) -> None:
    """Names, reasons and labels come from outside: none of them is ever markup."""
    group = ModelGroup(
        GroupMonitor("g9603"),
        START_MS,
        topics=[CANARY],
        partition_count=1,
        workers={CANARY: ModelWorker([0], phase=CANARY, trouble=CANARY, endings={CANARY: 1}, policy_version=CANARY)},
    )
    group.dead_letters = {CANARY: 1}
    group.newest_dead_letters = (DeadLetterSeen(CANARY, 0, 1, CANARY, CANARY, group.now_ms),)
    group.codings = (CodingCount("new", CANARY, CANARY, CANARY, CANARY, 1),)
    group.pass_time(90, in_per_second=10)
    opened = await visit(group)
    page = opened.page

    for place in ("#workers", "#partitions", "#codings", "#dead-letter-reasons", "#newest-dead-letters", "#alerts"):
        await expect(page.locator(place)).to_contain_text(CANARY)
    await expect(page.locator("img")).to_have_count(0)
    await expect(page).to_have_title("behind · g9603")


async def test_it_is_live(visit: Open) -> None:
    """The group comes into another condition and the page says so, to a screen reader once."""
    group = SCENES["up_to_date"]()
    opened = await visit(group)
    page = opened.page
    await page.evaluate("""() => {
        window.announced = [];
        const status = document.getElementById("announcement");
        new MutationObserver(() => announced.push(status.textContent)).observe(status, { childList: true });
    }""")

    opened.pages.tell(lambda: group.pass_time(120, in_per_second=2_400))
    await expect(page.locator("#condition")).to_have_text("behind")
    opened.pages.tell(lambda: group.pass_time(20, in_per_second=2_400))
    await expect(page.locator("#sentence")).to_have_text(opened.pages.view.sentence)

    announced = await page.evaluate("announced")
    assert len(announced) == 1
    assert announced[0].startswith("g9603 is behind. Behind by")


async def test_a_lost_worker(browser: Browser) -> None:
    """The page says since when it stands still, and goes on where the worker is back."""
    pages = ModelPages(SCENES["idle"]())
    page = await browser.new_page(timezone_id="UTC")
    connection = page.locator("#connection")
    async with pages.served():
        await page.goto(pages.address)
        await expect(connection).to_have_text("live, as of 10:15:00")
    await expect(connection).to_have_text(
        "The worker cannot be reached since 10:15:00: the figures are of then; trying again."
    )
    await expect(page.locator("body")).to_have_class("lost")
    found = await Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
    async with pages.served():
        await expect(connection).to_have_text("live, as of 10:15:00")
        await expect(page.locator("body")).not_to_have_class("lost")
    await page.close()


async def test_behind_a_token(browser: Browser) -> None:
    """A browser that knows it sees all, the stream included; one that does not sees nothing."""
    group = SCENES["idle"]()
    pages = ModelPages(group, TOKEN)
    async with pages.served():
        stranger = await browser.new_page()
        with pytest.raises(Error, match="ERR_INVALID_AUTH_CREDENTIALS"):
            await stranger.goto(pages.address)
        context = await browser.new_context(http_credentials={"username": "any", "password": TOKEN.decode()})
        page = await context.new_page()
        await page.goto(pages.address)
        await expect(page.locator("#condition")).to_have_text("idle")
        pages.tell(lambda: group.pass_time(2, in_per_second=100))
        await expect(page.locator("#condition")).to_have_text("up to date")
        await context.close()
        await stranger.close()
