"""How are the pages served? Beside the work, in its event loop, so that they answer only while it turns."""

import asyncio
import errno
import socket
from typing import cast

import structlog
from aiohttp import web

from streams.web.access import WebAccess, WebRefusedError
from streams.web.connection import (
    CONNECTION_SECONDS_MAX,
    CONNECTIONS_MAX,
    SECURITY_HEADERS,
    STREAMS_MAX,
    BoundedConnection,
    ConnectionRefused,
    answer,
    answer_with,
)
from streams.web.episodes import EPISODES_CLOSED, episode_response, is_of_an_episode
from streams.web.pages import GROUP_EVENTS, ROUTES
from streams.web.source import EpisodeSource, PageSource

_PORTS_TRIED = 100
_BACKLOG = 16
_LAST_ANSWER_SECONDS = 0.5
"""For an answer that is under way at the end; 0 would mean to aiohttp: for as long as it takes."""
_METHODS = ("GET", "HEAD")

_log = structlog.get_logger(__name__)


class WebServer:
    """The pages of one worker.

    Its port is taken when it is made, before the worker joins its group: a fault in the settings is told at once. A
    port in use is no fault (two workers on one machine have the same default): the next one that is free is taken,
    and logged. Where none of a hundred is free there are no pages, and the work goes on without.

    Args:
        access: Where, and for whom.
        source: What they tell.
        episodes: Whom they ask about an episode; None where there are no such pages.

    Raises:
        WebRefusedError: The host is not an address of this machine, or the port may not be taken.
    """

    def __init__(self, access: WebAccess, source: PageSource, episodes: EpisodeSource | None = None) -> None:
        self._access = access
        self._source = source
        self._episodes = episodes
        self._streams = 0
        self._socket = _free_socket(access)
        self._server: asyncio.Server | None = None
        self._handler: web.Server | None = None

    @property
    def address(self) -> tuple[str, int] | None:
        """Where it listens; None where it does not."""
        if self._socket is None:
            return None
        host, port = self._socket.getsockname()[:2]
        return host, port

    async def start(self) -> None:
        """Answer."""
        if self._socket is None:
            _log.warning("web_unavailable", host=self._access.host, port=self._access.port)
            return
        loop = asyncio.get_running_loop()
        handler = self._handler = web.Server(self._answer)

        def connection() -> asyncio.Protocol:
            if len(handler.connections) >= CONNECTIONS_MAX:
                return ConnectionRefused()
            return BoundedConnection(handler, loop=loop)

        tls = self._access.tls
        self._server = await loop.create_server(
            connection,
            sock=self._socket,
            backlog=_BACKLOG,
            ssl=tls,
            ssl_handshake_timeout=CONNECTION_SECONDS_MAX if tls else None,
        )
        host, port = self._socket.getsockname()[:2]
        _log.info("web_started", host=host, port=port, tls=tls is not None)

    async def stop(self) -> None:
        """Answer no more."""
        if self._server is not None:
            self._server.close()
        elif self._socket is not None:
            self._socket.close()
        if self._handler is not None:
            await self._handler.shutdown(_LAST_ANSWER_SECONDS)

    async def _answer(self, request: web.BaseRequest) -> web.StreamResponse:
        refusal = self._refusal(request)
        if refusal is not None:
            return refusal
        if request.path == GROUP_EVENTS:
            return await self._stream(request)
        if self._episodes is not None and is_of_an_episode(request):
            return await episode_response(request, self._episodes)
        status, text = ROUTES[request.path].page(self._source, request.headers.get("Accept", ""))
        return answer_with(status, text.content_type, text.content)

    def _refusal(self, request: web.BaseRequest) -> web.Response | None:
        route = ROUTES.get(request.path)
        if not self._access.answers_to(request.headers.get("Host")):
            return answer(421, "These pages are not for that host.")
        of_an_episode = self._episodes is not None and is_of_an_episode(request)
        if route is None and request.path != GROUP_EVENTS and not of_an_episode:
            return answer(404, "There is no such page.")
        if request.method not in _METHODS:
            return answer(405, "These pages can only be read.", Allow=", ".join(_METHODS))
        if request.body_exists:
            return answer(413, "Nothing is to be sent here.")
        is_public = route is not None and route.is_public
        return None if is_public else self._denial(request, of_an_episode=of_an_episode)

    def _denial(self, request: web.BaseRequest, *, of_an_episode: bool) -> web.Response | None:
        if of_an_episode and self._access.token is None:
            return answer(403, EPISODES_CLOSED)
        if not self._access.admits(request.headers.get("Authorization")):
            # A browser asks its user for a name and a password: any name will do.
            # Chromium takes a header with a second scheme in it for none, and asks nobody.
            challenge = 'Basic realm="g9603: the token is the password"'
            return answer(401, "Send the token: Authorization: Bearer …", **{"WWW-Authenticate": challenge})
        return None

    async def _stream(self, request: web.BaseRequest) -> web.StreamResponse:
        """The group as server-sent events (https://html.spec.whatwg.org/multipage/server-sent-events.html)."""
        if self._streams >= STREAMS_MAX:
            return answer(503, "Too many look on already.", **{"Retry-After": "30"})
        response = web.StreamResponse(headers=SECURITY_HEADERS | {"Content-Type": "text/event-stream"})
        response.force_close()
        cast("BoundedConnection", request.protocol).become_stream()
        self._streams += 1
        try:
            await response.prepare(request)
            if request.method == "GET":
                async for view in self._source.group_changes():
                    await response.write(b"event: group\ndata: " + view + b"\n\n")
        except ConnectionError:
            pass  # whoever looked on is gone
        finally:
            self._streams -= 1
        return response


def _free_socket(access: WebAccess) -> socket.socket | None:
    for port in range(access.port, min(access.port + _PORTS_TRIED, 65_536)):
        try:
            return _listening(access.host, port)
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                continue
            message = (
                f"The worker's pages cannot be at {access.host}:{port} ({error.strerror}): set G9603_WEB_HOST to an "
                "address of this machine and G9603_WEB_PORT to a port that may be taken, or to 0 for no pages."
            )
            raise WebRefusedError(message) from None
    return None


def _listening(host: str, port: int) -> socket.socket:
    family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    listening = socket.socket(family, kind, protocol)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(address)
        listening.listen(_BACKLOG)  # on Linux two may be bound to one port; only one of them may listen
        listening.setblocking(False)  # noqa: FBT003 - the socket module's own signature
    except OSError:
        listening.close()
        raise
    return listening
