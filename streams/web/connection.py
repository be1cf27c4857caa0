"""How much may one who asks take? One short request, some seconds, one of a few connections."""

import asyncio

import structlog
from aiohttp import web
from aiohttp.web_protocol import RequestHandler

REQUEST_LINE_BYTES_MAX = 2_048
HEADER_BYTES_MAX = 4_096
HEADERS_MAX = 32
CONNECTION_SECONDS_MAX = 10.0
"""From the first byte of the greeting to the last of the answer."""
CONNECTIONS_MAX = 32

SECURITY_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Server": "g9603",
}

_log = structlog.get_logger(__name__)


def answer(status: int, text: str, **headers: str) -> web.Response:
    """A response that ends its connection."""
    response = web.Response(status=status, text=f"{text}\n", headers=SECURITY_HEADERS | headers)
    response.force_close()
    return response


class BoundedConnection(RequestHandler):
    """A connection of aiohttp's with an end, and with errors that repeat nothing of what was asked."""

    def __init__(self, server: web.Server, *, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(
            server,
            loop=loop,
            access_log=None,  # type: ignore[arg-type] # none: a path may hold an id
            max_line_size=REQUEST_LINE_BYTES_MAX,
            max_field_size=HEADER_BYTES_MAX,
            max_headers=HEADERS_MAX,
            lingering_time=0,
            auto_decompress=False,
        )
        self._end: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin, and be cut off after some seconds, whatever the other side does or does not."""
        super().connection_made(transport)
        if isinstance(transport, asyncio.Transport):
            self._end = asyncio.get_running_loop().call_later(CONNECTION_SECONDS_MAX, transport.abort)

    def connection_lost(self, exc: BaseException | None) -> None:
        """End."""
        if self._end is not None:
            self._end.cancel()
        super().connection_lost(exc)

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """What is no HTTP gets a status and no more; aiohttp's own answer and log line would repeat it."""
        del request, message
        if status >= 500:  # noqa: PLR2004 - our fault
            _log.error("page_failed", error=exc)
        return answer(status, "This cannot be answered.")


class ConnectionRefused(asyncio.Protocol):
    """What one connection too many meets."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """End at once."""
        if isinstance(transport, asyncio.Transport):
            transport.abort()
