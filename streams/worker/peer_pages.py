"""The pages of the other workers, asked on behalf of somebody whom this worker has let in."""

import socket
import ssl
from http import HTTPStatus

import aiohttp
from yarl import URL

from streams.settings import PREFIX, Settings
from streams.web.access import WebAccess, WebRefusedError
from streams.web.episodes import TAKEN_FOR, episode_path
from streams.web.server import WebServer
from streams.web.source import EpisodeAnswer, EpisodeQuestion, Text

_ANSWER_SECONDS_MAX = 6.0
"""Longer than the other may wait for its step, shorter than a connection to us may last."""
_EVERYWHERE = {"0.0.0.0", "::"}  # noqa: S104 - compared, not bound


class PeerSilentError(Exception):
    """The other worker gave no answer that could be passed on; the message says why, and shows no id."""


class PeerPages:
    """Asks other workers, as whom the group's token makes us.

    Args:
        token: The same for all workers of the group; where there is none, nobody is asked for an episode.
        trust: Whose certificates are believed.
        only_tls: Whether the token is sent over nothing else, as where our own pages are under TLS.
    """

    def __init__(self, token: bytes | None, trust: ssl.SSLContext, *, only_tls: bool) -> None:
        self._token = token or b""
        self._trust = trust
        self._only_tls = only_tls
        self._session: aiohttp.ClientSession | None = None

    async def ask(self, url: str, question: EpisodeQuestion) -> EpisodeAnswer:
        """What the worker whose pages are at *url* answers.

        Raises:
            PeerSilentError: It does not, or not as a worker would.
        """
        if self._only_tls and not url.startswith("https://"):
            message = "Its pages are without TLS, and ours are not: the token is not sent there."
            raise PeerSilentError(message)
        headers = {
            "Authorization": f"Bearer {self._token.decode('utf-8', 'surrogateescape')}",
            "Accept": question.accept,
            TAKEN_FOR: question.taken_for or "",
        }
        asked = URL(f"{url}{episode_path(question.episode_id)}", encoded=True)
        try:
            async with self._connected().get(asked, headers=headers, allow_redirects=False) as response:
                return await _passed_on(response)
        except (aiohttp.ClientError, OSError, TimeoutError, ValueError) as error:
            raise PeerSilentError(type(error).__name__) from None  # its text shows the path

    async def close(self) -> None:
        """Ask no more."""
        if self._session is not None:
            await self._session.close()

    def _connected(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(ssl=self._trust),
                timeout=aiohttp.ClientTimeout(total=_ANSWER_SECONDS_MAX),
                auto_decompress=False,
            )
        return self._session


async def _passed_on(response: aiohttp.ClientResponse) -> EpisodeAnswer:
    if response.status not in {HTTPStatus.OK, HTTPStatus.NOT_FOUND, HTTPStatus.SERVICE_UNAVAILABLE}:
        message = f"It answers {response.status}: all workers of a group need the same G9603_WEB_TOKEN."
        raise PeerSilentError(message)
    content = await response.read()
    retry_after = response.headers.get("Retry-After")
    text = Text(response.headers.get("Content-Type", "text/plain"), content)
    return EpisodeAnswer(HTTPStatus(response.status), text, int(retry_after) if retry_after is not None else None)


def peer_pages(settings: Settings, access: WebAccess | None) -> PeerPages:
    """Those of the group, asked as *settings* say; *access* is to our own.

    Raises:
        WebRefusedError: The file of the authorities holds no certificates.
    """
    ca_file = settings.web_tls_ca_file
    try:
        trust = ssl.create_default_context(cafile=ca_file)
    except OSError as error:
        message = f"{PREFIX}WEB_TLS_CA_FILE={ca_file} cannot be used: {error.strerror or 'it holds no certificate'}."
        raise WebRefusedError(message) from None
    if access is None:
        return PeerPages(None, trust, only_tls=True)
    return PeerPages(access.token, trust, only_tls=access.tls is not None)


def advertised_url(settings: Settings, access: WebAccess, pages: WebServer) -> str | None:
    """Where other workers reach *pages*; None where they are not served."""
    if pages.address is None:
        return None
    if settings.web_advertised_url is not None:
        return settings.web_advertised_url
    host = socket.getfqdn() if access.host in _EVERYWHERE else access.host
    return str(URL.build(scheme="http" if access.tls is None else "https", host=host, port=pages.address[1]))
