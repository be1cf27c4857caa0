"""The page of the group, in a browser: what it shows of groups in every state, and whom it serves."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack

import pytest
import pytest_asyncio
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, Error, Page, expect

from streams.monitoring.duration_text import duration_text
from streams.monitoring.group_monitor import GroupMonitor
from streams.monitoring.worker_report import CodingCount, DeadLetterSeen
from streams.web.pages import ROUTES
from tests.page.browser import open_browser
from tests.page.model_group import ModelGroup, ModelWorker
from tests.page.model_pages import ModelPages
from tests.page.scenes import SCENES, START_MS
from tests.page.view_types import DECLARATIONS, declarations

pytestmark = pytest.mark.asyncio(loop_scope="module")

BYTES_MAX = 200_000
NODES_MAX = 3_000
TOKEN = b"a token that nobody guesses"
CANARY = "<img src=x onerror=\"document.title='owned'\">"
SHAPES = {
    "idle": "idle",
    "up_to_date": "up-to-date",
    "behind": "behind",
    "recovering": "recovering",
    "broken": "broken",
    "deserted": "broken",
    "empty": "broken",
    "wide": "up-to-date",
}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser() -> AsyncIterator[Browser]:
    """One for all."""
    async with open_browser() as opened:
        yield opened


class Visit:
    """A page that is open, and whatever it did that it should not."""

    def __init__(self, page: Page, pages: ModelPages) -> None:
        self.page = page
        self.pages = pages
        self.faults: list[str] = []
        page.on("pageerror", lambda error: self.faults.append(str(error)))
        page.on("console", lambda message: self.faults.append(message.text) if message.type == "error" else None)
        page.on("request", lambda request: self._check(request.url))

    def _check(self, url: str) -> None:
        if not url.startswith((self.pages.address, "data:")):
            self.faults.append(f"asked for {url}")


Open = Callable[..., Awaitable[Visit]]


@pytest_asyncio.fixture(loop_scope="module")
async def visit(browser: Browser) -> AsyncIterator[Open]:
    """Opens the page of a group; at the end it must have made no error, and asked nobody but its worker."""
    visits: list[Visit] = []
    async with AsyncExitStack() as stack:

        async def visited(group: ModelGroup, **options: object) -> Visit:
            pages = ModelPages(group)
            await stack.enter_async_context(pages.served())
            context = await browser.new_context(**options)  # type: ignore[arg-type] # playwright's own names
            stack.push_async_callback(context.close)
            opened = Visit(await context.new_page(), pages)
            visits.append(opened)
            await opened.page.goto(pages.address)
            await expect(opened.page.locator("#connection")).to_contain_text("live")
            return opened

        yield visited
    assert [fault for one in visits for fault in one.faults] == []


@pytest.mark.parametrize("name", SCENES)
async def test_the_answer_is_a_word_a_shape_and_a_sentence(visit: Open, name: str) -> None:
    """Of each state; so are its alerts, each beside the runbook's line."""
    opened = await visit(SCENES[name]())
    page, view = opened.page, opened.pages.view

    await expect(page.locator("#condition")).to_have_text(view.condition.value)
    await expect(page.locator("#shape")).to_have_attribute("href", f"#shape-{SHAPES[name]}")
    await expect(page.locator("#sentence")).to_have_text(view.sentence)
    await expect(page.locator("#cause")).to_have_text(view.cause or "")
    await expect(page).to_have_title(f"{view.condition.value} · {view.app_id}")
    alerts = page.locator("#alert-list li")
    await expect(alerts).to_have_count(len(view.alerts))
    for shown, alert in zip(await alerts.all(), view.alerts, strict=True):
        await expect(shown).to_contain_text(alert.severity)
        await expect(shown).to_contain_text(alert.sentence)
        await expect(shown).to_contain_text(alert.first_step)
        await expect(shown).to_contain_text(alert.runbook)


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


async def test_workers(visit: Open) -> None:
    """Where each is, what it does and has, and how those before it ended."""
    opened = await visit(SCENES["recovering"]())

    rows = opened.page.locator("#workers tbody tr:not(.spacer)")
    await expect(rows).to_have_count(3)
    third = rows.nth(2)
    for text in (
        "node-c-0",
        "restoring",
        "8\N{EN DASH}11 (4)",
        "9,800",
        "default 2026.2",
        "killed \N{MULTIPLICATION SIGN}2",
    ):
        await expect(third).to_contain_text(text)


async def test_coding_events_and_dead_letters(visit: Open) -> None:
    """By payer and instrument with what was corrected; by reason with the newest first."""
    opened = await visit(SCENES["behind"](), timezone_id="America/New_York")
    page = opened.page

    first = page.locator("#codings tbody tr:not(.spacer)").first
    assert await first.locator("th, td").all_text_contents() == ["medicare", "odi", "G9603", "1,277", "55", "17"]
    await expect(page.locator("#corrections")).to_have_text("8,359 new, 462 corrections")
    reasons = page.locator("#dead-letter-reasons tbody tr:not(.spacer)")
    assert await reasons.first.locator("th, td").all_text_contents() == ["not_json", "14"]
    newest = page.locator("#newest-dead-letters tbody tr:not(.spacer)").first
    await expect(newest).to_contain_text("survey-completed-7@18950")
    await expect(newest.locator("time")).to_have_text("05:14:51")
    await expect(newest.locator("time")).to_have_attribute("title", "2025-11-25T10:14:51.000Z")


async def test_nothing_to_show(visit: Open) -> None:
    """Each part says so."""
    opened = await visit(SCENES["empty"]())

    for text in ("No worker reports", "No coding event", "No dead letter", "12 of 12"):
        await expect(opened.page.get_by_text(text)).to_be_visible()


async def test_figures_of_then(visit: Open) -> None:
    """Where the brokers cannot be asked, nobody claims to know when all is caught up."""
    opened = await visit(SCENES["broken"]())

    await expect(opened.page.locator(".figure.caught-up dd")).to_have_text("not known")
    await expect(opened.page.locator("body")).to_have_class("stale")


async def test_a_thousand_partitions_of_three_topics(visit: Open) -> None:
    """All can be seen, and only those in sight are made."""
    opened = await visit(SCENES["wide"]())
    page = opened.page
    table = page.locator("#partitions")

    await expect(page.locator("#partition-count")).to_have_text("3,000 of 3,000")
    await expect(table.locator("table")).to_have_attribute("aria-rowcount", "3001")
    assert await page.locator("*").count() < NODES_MAX
    await table.get_by_role("button", name="Partition", exact=True).click()
    await expect(table.locator("tbody tr:not(.spacer)").first).to_contain_text("g9603-episodes-rekey-0")
    await table.evaluate("table => table.scrollTo(0, table.scrollHeight)")
    last = table.locator("[aria-rowindex='3001']")
    await expect(last).to_be_visible()
    await expect(last).to_contain_text("treatment-recorded-999")
    assert await page.locator("*").count() < NODES_MAX

    await page.get_by_label("containing").fill("rekey-99")
    await expect(page.locator("#partition-count")).to_have_text("11 of 3,000")


async def test_only_with_lag(visit: Open) -> None:
    """The filter leaves what waits, and says how many of how many."""
    opened = await visit(SCENES["recovering"]())
    waiting = sum(partition.lag_records > 0 for partition in opened.pages.view.partitions)

    await opened.page.get_by_label("only with lag").check()

    await expect(opened.page.locator("#partition-count")).to_have_text(f"{waiting} of 36")
    assert 0 < waiting < 36


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


async def test_durations_as_the_worker_says_them(visit: Open) -> None:
    """Figures and sentences stand side by side: both are in the same words."""
    opened = await visit(SCENES["idle"]())
    seconds = [0.0, 0.99, 1.0, 59.9, 60.0, 61.0, 130.0, 3_599.0, 3_600.0, 3_661.0, 86_399.0, 86_400.0, 93_600.0, 9e6]

    script = "async (all) => { const said = await import('/page/wording.js'); return all.map(said.durationText); }"
    said = await opened.page.evaluate(script, seconds)

    assert said == [duration_text(one) for one in seconds]


async def test_it_is_small_and_complete() -> None:
    """All its files together, each of a kind that a browser takes."""
    source = ModelPages(SCENES["empty"]())
    assets = {path: route for path, route in ROUTES.items() if path == "/" or path.startswith("/page/")}
    files = {path: route.page(source, "").text for path, route in assets.items()}

    assert {"/", "/page/main.js", "/page/page.css"} <= files.keys()
    assert sum(len(text.content) for text in files.values()) < BYTES_MAX


async def test_the_types_of_what_it_gets() -> None:
    """The page's code is checked against what the worker sends."""
    assert await asyncio.to_thread(DECLARATIONS.read_text, "utf-8") == declarations(), "python -m tests.page.view_types"
