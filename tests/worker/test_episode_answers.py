"""What a worker says of an episode: what is committed, whichever is asked; or a sentence, and when to ask again."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from http import HTTPStatus
from itertools import islice

import orjson
import pytest

from streams.local_kafka.loopback import free_ports
from streams.monitoring.reading import MemberReading
from streams.web.access import WebAccess
from streams.web.server import WebServer
from streams.web.source import EpisodeAnswer, EpisodeQuestion
from streams.worker.episode_answers import EpisodeAnswers
from streams.worker.peer_pages import PeerPages
from tests.care import baseline, care, episodes_at_home_in, follow_up, treatment
from tests.driver import TopicsInMemory, WorkerDriver, at_rest
from tests.policies_for_tests import DEFAULT
from tests.web.test_pages_over_sockets import Source

TASKS = 2
TOKEN = b"a token that nobody guesses"
EPISODE, OTHER = (next(islice(episodes_at_home_in(p, task_count=TASKS), 1)) for p in (0, 1))


class Group:
    """Who has which task, by the coordinator's word; and where everybody's pages are."""

    def __init__(self) -> None:
        self.members: list[MemberReading] = []
        self.pages: dict[str, str] = {}

    async def owner_of(self, partition: int) -> MemberReading | None:
        """The member that was set."""
        return next((member for member in self.members if partition in member.partitions), None)

    async def close(self) -> None:
        """Nothing."""


class Asked:
    """One worker with pages."""

    def __init__(self, topics: TopicsInMemory, group: Group, *, token: bytes = TOKEN) -> None:
        self.driver = WorkerDriver(topics)
        self._peers = PeerPages(token, ssl.create_default_context(), only_tls=False)
        self.answers = EpisodeAnswers(
            self.driver.manager, DEFAULT, TASKS, owners=group, pages_url=group.pages.get, peers=self._peers
        )
        (port,) = free_ports(1)
        self._server = WebServer(WebAccess("127.0.0.1", port, token, None), Source(), self.answers)
        self._group = group
        self.url = f"http://127.0.0.1:{port}"

    async def start(self, *partitions: int) -> None:
        """Have *partitions*, by the coordinator's word and its own."""
        await self._server.start()
        await self.driver.rebalance(*partitions)
        self._group.members.append(MemberReading(self.driver.member_id, "", partitions, self.driver.member_id))
        self._group.pages[self.driver.member_id] = self.url

    async def stop(self) -> None:
        """End."""
        await self._server.stop()
        await self.answers.close()
        await self.driver.manager.close()

    async def ask(self, episode_id: str = EPISODE, *, taken_for: str | None = None) -> EpisodeAnswer:
        """What it answers to a script."""
        return await self.answers.answer(EpisodeQuestion(episode_id, "application/json", taken_for))


class Stage:
    """Topics, a group, and workers that end with the test."""

    def __init__(self) -> None:
        self.topics, self.group = TopicsInMemory(task_count=TASKS), Group()
        self.workers: list[Asked] = []

    async def worker(self, *partitions: int, token: bytes = TOKEN) -> Asked:
        """One more worker, with *partitions*."""
        worker = Asked(self.topics, self.group, token=token)
        self.workers.append(worker)
        await worker.start(*partitions)
        return worker

    def send(self, *messages: object) -> None:
        """Send messages to their home."""
        for message in messages:
            assert isinstance(message, tuple)
            episode_id, kind, value = message
            self.topics.send(kind, 0 if episode_id == EPISODE else 1, value)


@pytest.fixture
async def stage() -> AsyncIterator[Stage]:
    """An empty one."""
    stage = Stage()
    yield stage
    for worker in stage.workers:
        await worker.stop()


def said(answer: EpisodeAnswer) -> tuple[int, int | None]:
    return answer.status, answer.retry_after_seconds


LATER = (503, 1)


async def test_an_episode_that_is_here(stage: Stage) -> None:
    """A page for people, JSON for scripts, and a sentence where nothing is known."""
    worker = await stage.worker(0, 1)
    stage.send(*care(EPISODE))
    await worker.driver.drain()

    told = await worker.ask()
    page = await worker.answers.answer(EpisodeQuestion(EPISODE, "text/html", None))
    unknown = await worker.ask(OTHER)

    assert orjson.loads(told.text.content)["decision"]["code"] == "G9603"
    assert page.text.content_type == "text/html; charset=utf-8"
    assert page.text.content.startswith(b"<!DOCTYPE html>") or page.text.content.startswith(b"<!doctype html>")
    assert (unknown.status, OTHER.encode() in unknown.text.content) == (HTTPStatus.NOT_FOUND, False)


async def test_nothing_is_told_before_it_is_committed(stage: Stage) -> None:
    """Memory runs ahead of the log; who asks does not see that, but waits for the commit."""
    worker = await stage.worker(0, 1)
    stage.send(baseline(EPISODE), treatment(EPISODE))
    await worker.driver.drain()
    worker.driver.writer.may_commit.clear()
    stage.send(follow_up(EPISODE))
    await worker.driver.deliver()
    await at_rest(stage.topics)

    asking = asyncio.create_task(worker.ask())
    await at_rest(stage.topics)
    assert not asking.done()
    worker.driver.writer.may_commit.set()

    assert orjson.loads((await asking).text.content)["decision"]["code"] == "G9603"


async def test_any_worker_answers_for_any_episode(stage: Stage) -> None:
    """The one that has it says the same, asked directly or on somebody's behalf."""
    first, second = await stage.worker(0), await stage.worker(1)
    stage.send(*care(EPISODE), *care(OTHER))
    for worker in (first, second):
        await worker.driver.rebalance(*worker.driver.manager.tasks)
        await worker.driver.drain()

    for episode_id in (EPISODE, OTHER):
        told = [await worker.ask(episode_id) for worker in (first, second)]
        assert told[0] == told[1]
        assert orjson.loads(told[0].text.content)["decision"]["code"] == "G9603"


async def test_whoever_was_thrown_out_without_noticing_does_not_answer(stage: Stage) -> None:
    """Its state is that of before: another may have coded since."""
    worker = await stage.worker(0, 1)
    stage.send(*care(EPISODE))
    await worker.driver.drain()

    stage.group.members = [MemberReading(worker.driver.member_id, "", (0, 1), "who took its place")]

    assert said(await worker.ask()) == LATER
    assert said(await worker.ask(taken_for="who took its place")) == LATER
    assert (await worker.ask(taken_for=worker.driver.member_id)).status == HTTPStatus.OK


Turn = Callable[[Stage, Asked], Awaitable[None]]


async def _rebalances(stage: Stage, worker: Asked) -> None:
    await worker.driver.revoke()
    stage.group.members = []


async def _has_yet_to_join(_stage: Stage, worker: Asked) -> None:
    await worker.driver.revoke()


async def _has_lost_the_task(_stage: Stage, worker: Asked) -> None:
    await worker.driver.rebalance(1)


async def _is_said_to_be_elsewhere(stage: Stage, _worker: Asked) -> None:
    stage.group.members = [MemberReading("a place without pages", "", (0, 1), "another")]


async def _is_where_nobody_answers(stage: Stage, _worker: Asked) -> None:
    (port,) = free_ports(1)
    stage.group.members = [MemberReading("a dead place", "", (0, 1), "another")]
    stage.group.pages["a dead place"] = f"http://127.0.0.1:{port}"


TURNS = [_rebalances, _has_yet_to_join, _has_lost_the_task, _is_said_to_be_elsewhere, _is_where_nobody_answers]


@pytest.mark.parametrize("turn", TURNS, ids=[turn.__name__ for turn in TURNS])
async def test_where_it_cannot_be_right_it_is_a_sentence(stage: Stage, turn: Turn) -> None:
    """Not what was known before, not "unknown", but when to ask again."""
    worker = await stage.worker(0, 1)
    stage.send(*care(EPISODE))
    await worker.driver.drain()

    await turn(stage, worker)
    answer = await worker.ask()

    assert said(answer) == LATER
    assert answer.text.content.endswith(b".\n")


async def test_a_worker_with_another_token_is_not_believed(stage: Stage) -> None:
    """It refuses us, and that is said to the operators, not taken for an answer."""
    asked = await stage.worker(1)
    await stage.worker(0, token=b"another token altogether")

    assert said(await asked.ask()) == LATER
