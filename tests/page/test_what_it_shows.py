"""What the page shows of groups in every state."""

import asyncio

import pytest
from playwright.async_api import expect

from streams.monitoring.duration_text import duration_text
from streams.web.pages import ROUTES
from tests.page.model_pages import ModelPages
from tests.page.scenes import SCENES
from tests.page.view_types import DECLARATIONS, declarations
from tests.page.visit import Open

pytestmark = pytest.mark.asyncio(loop_scope="module")

BYTES_MAX = 200_000
NODES_MAX = 3_000
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


@pytest.mark.parametrize("name", SCENES)
async def test_the_answer_is_a_word_a_shape_and_a_sentence(visit: Open, name: str) -> None:
    """Of each state; so are its alerts, the critical first, each beside the runbook's line."""
    opened = await visit(SCENES[name]())
    page, view = opened.page, opened.pages.view

    await expect(page.locator("#condition")).to_have_text(view.condition.value)
    await expect(page.locator("#shape")).to_have_attribute("href", f"#shape-{SHAPES[name]}")
    await expect(page.locator("#sentence")).to_have_text(view.sentence)
    await expect(page.locator("#cause")).to_have_text(view.cause or "")
    await expect(page).to_have_title(f"{view.condition.value} · {view.app_id}")
    severities = [alert.severity for alert in view.alerts]
    assert severities == sorted(severities)
    alerts = page.locator("#alert-list li")
    await expect(alerts).to_have_count(len(view.alerts))
    for shown, alert in zip(await alerts.all(), view.alerts, strict=True):
        await expect(shown).to_contain_text(alert.severity)
        await expect(shown).to_contain_text(alert.sentence)
        await expect(shown).to_contain_text(alert.first_step)
        await expect(shown).to_contain_text(alert.runbook)


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
