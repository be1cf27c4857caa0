"""The Chromium of this machine, as a test drives it."""

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from playwright.async_api import Browser, async_playwright

_NAMES = ("chromium", "google-chrome")
_ARGUMENTS = (
    "--no-sandbox",  # root has none
    "--disable-gpu",
    # It talks to the page, and to nobody else.
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@asynccontextmanager
async def open_browser() -> AsyncIterator[Browser]:
    """A browser without a window."""
    found = next(filter(None, map(shutil.which, _NAMES)), None)
    assert found is not None, f"The page is tested in Chromium: install it (one of {', '.join(_NAMES)} on the path)."
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=found, args=_ARGUMENTS)
        try:
            yield browser
        finally:
            await browser.close()
