"""A token endpoint for tests: the client credentials grant (RFC 6749, 4.4), over TLS."""

import ssl
from base64 import b64decode
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web

from tests.certificates import Authority

CLIENT_ID, CLIENT_SECRET = "worker:of tests", "correct horse+battery"
_LOGIN = b"worker%3Aof+tests:correct+horse%2Bbattery"
"""Both, encoded as RFC 6749 asks (2.3.1)."""


class TokenEndpoint:
    """Gives tokens to who knows the secret.

    Args:
        give: Makes a token.
    """

    def __init__(self, give: Callable[[], str]) -> None:
        self.asked = 0
        self.url = ""
        self.answer: tuple[int, Any] | None = None
        """What it says in place of what it should."""
        self.scopes: list[str | None] = []
        self._give = give

    @asynccontextmanager
    async def open(self, authority: Authority) -> AsyncIterator[None]:
        """Answer while the block runs."""
        tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        tls.load_cert_chain(*authority.issue("token-endpoint", "127.0.0.1"))
        application = web.Application()
        application.router.add_post("/token", self._answer)
        runner = web.AppRunner(application)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls)
        await site.start()
        self.url = f"https://127.0.0.1:{runner.addresses[0][1]}/token"
        try:
            yield
        finally:
            await runner.cleanup()

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        self.asked += 1
        if self.answer is not None:
            status, told = self.answer
            return web.json_response(told, status=status)
        form = await request.post()
        self.scopes.append(str(form["scope"]) if "scope" in form else None)
        login = b64decode(request.headers["Authorization"].removeprefix("Basic "))
        if form["grant_type"] != "client_credentials" or login != _LOGIN:
            return web.json_response({"error": "invalid_client"}, status=401)
        return web.json_response({"access_token": self._give(), "token_type": "Bearer", "expires_in": 100})
