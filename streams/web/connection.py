"""How much may one who asks take? One short request, some seconds, one of a few connections and fewer streams."""

import asyncio

import structlog
from aiohttp import web
from aiohttp.web_protocol import RequestHandler

REQUEST_LINE_BYTES_MAX = 4_096
"""An episode's id may have 256 characters, each of up to 12 bytes in a path."""
HEADER_BYTES_MAX = 4_096
HEADERS_MAX = 32
CONNECTION_SECONDS_MAX = 10.0
"""From the first byte of the greeting to the last of the answer."""
CONNECTIONS_MAX = 32
STREAM_SECONDS_MAX = 600.0
"""After which a stream ends; a browser asks for the next by itself."""
STREAMS_MAX = 16
"""Of the connections: a supervisor finds one free however many look on."""

CONTENT_POLICY = "Content-Security-Policy"
SECURITY_HEADERS = {
    CONTENT_POLICY: (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Server": "g9603",
}

_log = structlog.get_logger(__name__)


def answer(status: int, text: str, **headers: str) -> web.Response:
    """A response in plain text that ends its connection."""
    return answer_with(status, "text/plain; charset=utf-8", f"{text}\n".encode(), **headers)


def answer_with(status: int, content_type: str, content: bytes, **headers: str) -> web.Response:
    """A response that ends its connection."""
    told = SECURITY_HEADERS | headers | {"Content-Type": content_type}
    response = web.Response(status=status, body=content, headers=told)
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
        self._end_after(CONNECTION_SECONDS_MAX)

    def become_stream(self) -> None:
        """Be cut off later: what is answered does not end by itself."""
        if self._end is not None:
            self._end.cancel()
        self._end_after(STREAM_SECONDS_MAX)

    def _end_after(self, seconds: float) -> None:
        if isinstance(self.transport, asyncio.Transport):
            self._end = asyncio.get_running_loop().call_later(seconds, self.transport.abort)

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
