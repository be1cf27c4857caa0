"""A page that a test has opened."""

from collections.abc import Awaitable, Callable

from playwright.async_api import Page

from tests.page.model_pages import ModelPages


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
