"""Who sees an episode's page, and what is asked of whoever knows the episode."""

import asyncio
import base64
from collections.abc import AsyncIterator
from http import HTTPStatus

import aiohttp
import pytest
from yarl import URL

from streams.local_kafka.loopback import free_ports
from streams.web.access import WebAccess
from streams.web.episodes import TAKEN_FOR, episode_path
from streams.web.server import WebServer
from streams.web.source import EpisodeAnswer, EpisodeQuestion, Text
from tests.web.test_pages_over_sockets import Source

TOKEN = b"a token that nobody guesses"
BEARER = {"Authorization": f"Bearer {TOKEN.decode()}"}
KNOWN = EpisodeAnswer(HTTPStatus.OK, Text("text/html; charset=utf-8", b"<p>CANARY</p>"))


class Episodes:
    """Answers the same to every question, and keeps the questions."""

    def __init__(self) -> None:
        self.told = KNOWN
        self.questions: list[EpisodeQuestion] = []

    async def answer(self, question: EpisodeQuestion) -> EpisodeAnswer:
        """What was set."""
        self.questions.append(question)
        await asyncio.sleep(0)
        return self.told


class Served:
    """Pages with episodes, and whoever asks."""

    def __init__(self, session: aiohttp.ClientSession, token: bytes | None) -> None:
        (port,) = free_ports(1)
        self.episodes = Episodes()
        self.server = WebServer(WebAccess("127.0.0.1", port, token, None), Source(), self.episodes)
        self._session = session
        self._address = f"http://127.0.0.1:{port}"

    async def ask(self, path: str, method: str = "GET", **headers: str) -> tuple[aiohttp.ClientResponse, str]:
        """The answer and its text."""
        asked = URL(f"{self._address}{path}", encoded=True)
        async with self._session.request(method, asked, headers=headers) as response:
            return response, await response.text()


@pytest.fixture(params=[TOKEN])
async def served(request: pytest.FixtureRequest) -> AsyncIterator[Served]:
    """Pages with a token, or with the one that the test says."""
    async with aiohttp.ClientSession() as session:
        served = Served(session, request.param)
        await served.server.start()
        yield served
        await served.server.stop()


@pytest.mark.parametrize("served", [None], indirect=True)
async def test_without_a_token_nobody_sees_an_episode(served: Served) -> None:
    """Not on loopback either: on a machine there are others."""
    response, text = await served.ask("/episodes/E1", **BEARER)

    assert response.status == HTTPStatus.FORBIDDEN
    assert "set G9603_WEB_TOKEN_FILE" in text
    assert not served.episodes.questions


async def test_only_who_knows_the_token_sees_an_episode(served: Served) -> None:
    """By a bearer token or a password; whoever does not is told the same of every id."""
    password = base64.b64encode(b"anybody:" + TOKEN).decode()
    denied = [await served.ask("/episodes/E1", **headers) for headers in ({}, {"Authorization": "Bearer guessed"})]
    let_in = [await served.ask("/episodes/E1", **h) for h in (BEARER, {"Authorization": f"Basic {password}"})]

    assert [response.status for response, _ in denied] == [HTTPStatus.UNAUTHORIZED] * 2
    assert not any("CANARY" in text for _, text in denied)
    assert [text for _, text in let_in] == ["<p>CANARY</p>"] * 2
    assert len(served.episodes.questions) == 2


@pytest.mark.parametrize("episode_id", ["E1", "a/b", "..", "é pisode?#%41", "x" * 256, "\N{FOX FACE}" * 256])
async def test_any_id_can_be_asked_for(served: Served, episode_id: str) -> None:
    """An id is opaque: whatever characters it has, it comes through."""
    await served.ask(episode_path(episode_id), **BEARER, Accept="application/json", **{TAKEN_FOR: "member"})

    assert served.episodes.questions == [EpisodeQuestion(episode_id, "application/json", "member")]


async def test_what_a_browser_may_do_with_it(served: Served) -> None:
    """The page fetches nothing, and is kept nowhere."""
    response, _ = await served.ask("/episodes/E1", **BEARER)

    assert response.headers["Content-Security-Policy"].startswith("default-src 'none'; style-src 'unsafe-inline'")
    assert response.headers["Cache-Control"] == "no-store"
    assert (await served.ask("/episodes/E1", "HEAD", **BEARER))[1] == ""


async def test_no_answer_now_says_when(served: Served) -> None:
    """A script asks again when it is told to."""
    served.episodes.told = EpisodeAnswer(HTTPStatus.SERVICE_UNAVAILABLE, Text("text/plain", b"later"), 1)
    response, text = await served.ask("/episodes/E1", **BEARER)

    assert (response.status, response.headers["Retry-After"], text) == (503, "1", "later")


async def test_there_is_no_list_of_episodes(served: Served) -> None:
    assert [(await served.ask(path, **BEARER))[0].status for path in ("/episodes", "/episodes/")] == [404, 404]
