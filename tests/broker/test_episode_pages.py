"""The page about an episode, asked of running workers: the same from each, and never what was true before."""

import asyncio
from collections.abc import AsyncIterator
from http import HTTPStatus
from typing import NamedTuple

import aiohttp
import orjson
import pytest
from pydantic import SecretStr

from streams.domain.instant import Instant
from streams.domain.patient_merge import PatientMerge
from streams.processing.topology import InputKind
from streams.worker.ending import EXIT_DOUBT
from tests.care import Message, care, follow_up
from tests.fleet import Fleet, pause, resume
from tests.messages import merge_bytes

pytestmark = pytest.mark.kafka

TOKEN = "a token that nobody guesses"  # noqa: S105 - a test's own
LEFT, MERGED = "left", "merged"
EPISODES = [f"E{n}" for n in range(8)]


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    """Whoever asks, for scripts."""
    headers = {"Authorization": f"Bearer {TOKEN}", "Accept": "application/json"}
    async with aiohttp.ClientSession(headers=headers) as session:
        yield session


class Sent(NamedTuple):
    """A message as its system sends it."""

    topic: str
    key: bytes
    value: bytes
    headers: tuple[tuple[str, bytes], ...] = ()
    kind: str = "any"


def records(*messages: Message) -> list[Sent]:
    return [Sent(message.kind, message.episode_id.encode(), message.value) for message in messages]


async def ask(session: aiohttp.ClientSession, pages: str, episode_id: str) -> int | None:
    """The last revision that a worker tells of an episode; None where it says when to ask again."""
    async with session.get(f"{pages}/episodes/{episode_id}") as response:
        if response.status == HTTPStatus.SERVICE_UNAVAILABLE:
            assert response.headers["Retry-After"] == "1"
            return None
        assert response.status == HTTPStatus.OK, await response.text()
        return len((await response.json())["coding_events"])


async def told(session: aiohttp.ClientSession, pages: str, episode_id: str) -> int:
    """The same, asked again as long as that is the answer."""
    while (revision := await ask(session, pages, episode_id)) is None:
        await asyncio.sleep(0.1)
    return revision


async def test_any_worker_tells_of_any_episode_and_nothing_that_is_over(
    fleet: Fleet, session: aiohttp.ClientSession
) -> None:
    """Two agree; one that freezes, and is asked before it knows what it missed, does not tell what it held."""
    settings = fleet.settings.model_copy(update={"web_token": SecretStr(TOKEN)})
    frozen, other = fleet.start(settings), fleet.start(settings)
    pages = [await fleet.pages_of(worker) for worker in (frozen, other)]
    for worker in (frozen, other):
        await fleet.until_tasks(worker, 2)
    await fleet.send(records(*(message for episode_id in EPISODES for message in care(episode_id))))
    await fleet.until_done()
    for episode_id in EPISODES:
        assert [await told(session, page, episode_id) for page in pages] == [1, 1]

    await _move_and_merge(fleet)
    for episode_id in (LEFT, MERGED):
        assert [await told(session, page, episode_id) for page in pages] == [2, 2]

    pause(frozen)
    try:
        await fleet.until_tasks(other, 4)
        await fleet.send(records(*(follow_up(episode_id, version=2, score="1") for episode_id in EPISODES)))
        await fleet.until_done()
        asked = [asyncio.create_task(ask(session, pages[0], episode_id)) for episode_id in EPISODES]
        assert [await told(session, pages[1], episode_id) for episode_id in EPISODES] == [2] * len(EPISODES)
    finally:
        resume(frozen)
    answers = await asyncio.gather(*asked, return_exceptions=True)

    # It ends when it hears that it is no member any more, and may do so before it has answered everybody.
    assert {answer for answer in answers if not isinstance(answer, aiohttp.ClientError)} <= {2, None}
    assert await fleet.ended(frozen) == EXIT_DOUBT
    counted = await fleet.recounted()
    assert counted.actions["void"] == 1


async def _move_and_merge(fleet: Fleet) -> None:
    """A survey turns out to be of another episode, and a patient to be another."""
    await fleet.send(records(*care(LEFT), *care(MERGED)))
    await fleet.until_done()
    moved = follow_up(LEFT, version=2)
    told = orjson.loads(moved.value) | {"episode_id": EPISODES[0], "moved_from_episode_id": LEFT}
    merge = PatientMerge("registration", "1", "survivor", f"{MERGED}-patient", Instant(0, 0))
    await fleet.send(
        [Sent(moved.kind, b"any", orjson.dumps(told)), Sent(InputKind.PATIENT_MERGE, b"any", merge_bytes(merge))]
    )
    await fleet.until_done()
