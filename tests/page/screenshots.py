"""Takes the pictures of the page that the README shows: `make screenshots`."""

import asyncio
import subprocess
import sys
from pathlib import Path

from playwright.async_api import Browser, expect

from tests.page.browser import open_browser
from tests.page.model_pages import ModelPages
from tests.page.scenes import SCENES

FOLDER = Path(__file__).parents[2] / "docs"
BYTES_MAX = 150_000
PICTURES = (("idle", "light"), ("behind", "light"), ("recovering", "light"), ("broken", "light"), ("behind", "dark"))


async def take(browser: Browser, scene: str, scheme: str) -> Path:
    """A picture of the whole page, in few colours and so in few bytes."""
    pages = ModelPages(SCENES[scene]())
    async with pages.served():
        page = await browser.new_page(
            viewport={"width": 1440, "height": 900},
            color_scheme="dark" if scheme == "dark" else "light",
            timezone_id="UTC",
        )
        await page.goto(pages.address)
        await expect(page.locator("#connection")).to_contain_text("live")
        await expect(page.locator("#partition-count")).not_to_be_empty()
        picture = FOLDER / f"page-{scene}{'-dark' if scheme == 'dark' else ''}.png"
        await page.screenshot(path=picture, full_page=True)
        await page.close()
    command = ("pngquant", "--force", "--strip", "--speed", "1", "--output", str(picture), "64", str(picture))
    await asyncio.to_thread(subprocess.run, command, check=True)
    assert picture.stat().st_size < BYTES_MAX, f"{picture} is too large for a README."
    return picture


async def _main() -> None:
    FOLDER.mkdir(exist_ok=True)
    async with open_browser() as browser:
        for scene, scheme in PICTURES:
            sys.stdout.write(f"{await take(browser, scene, scheme)}\n")


if __name__ == "__main__":
    asyncio.run(_main())
