"""A browser for each module, in which a test opens the page of a group."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import pytest_asyncio
from playwright.async_api import Browser, expect

from tests.page.browser import open_browser
from tests.page.model_group import ModelGroup
from tests.page.model_pages import ModelPages
from tests.page.visit import Open, Visit


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser() -> AsyncIterator[Browser]:
    """One for all."""
    async with open_browser() as opened:
        yield opened


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
