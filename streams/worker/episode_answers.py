"""What is known of an episode, asked of any worker: told by the one that has it, as of a committed step, or not at all.

Theory of operation. The worker that is asked looks up at the coordinator which member has the episode's task, and asks
that one over its pages. Both together are never behind the question. Until the coordinator was asked, only the member
that it names, or one before whose state that member restored, can have committed anything of the task. The member knows
all of that, for a member that is named holds no task from before its last rebalance: it gives up all of them when it
joins. What it holds in memory may be ahead of the log, so it waits for the steps in hand. A worker that was thrown out
without noticing goes by another member id than the one that is named, and does not answer; nor does one that has yet to
restore. Whoever asks hears that, and when to ask again.
"""

import asyncio
from collections.abc import Callable
from http import HTTPStatus
from typing import Protocol

import aiokafka.errors as kafka_errors
import orjson
import structlog

from streams.domain.policy import Policy
from streams.explanation.episode import explain_episode
from streams.explanation.episode_page import episode_page
from streams.kafka.broker_access import AccessDeniedError, BrokerNotTrustedError, BrokerUnreachableError
from streams.monitoring.reading import MemberReading
from streams.processing.changelog import episode_key
from streams.processing.partitioning import home_partition
from streams.processing.stored_episode import decode_episode
from streams.web.source import EpisodeAnswer, EpisodeQuestion, Text
from streams.worker.peer_pages import PeerPages, PeerSilentError
from streams.worker.task_manager import TaskManager

_JSON = "application/json"
_RETRY_AFTER_SECONDS = 1
_COMMIT_SECONDS_MAX = 5.0
_BEING_EXPLAINED_MAX = 2
"""Explanations at once: they take processor time from the coding."""

_log = structlog.get_logger(__name__)


class Owners(Protocol):
    """Who has which task now."""

    async def owner_of(self, partition: int) -> MemberReading | None:
        """The member that has the task of *partition*; None while nobody has."""

    async def close(self) -> None:
        """Let go of whoever knows."""


class EpisodeAnswers:
    """A worker's `streams.web.source.EpisodeSource`.

    Args:
        tasks: The episodes that are here.
        policy: What is explained by.
        task_count: How many tasks the group has.
        owners: Asked who has the others.
        pages_url: Where the pages of the worker in a place are; None where it did not say.
        peers: The pages of the other workers.
    """

    def __init__(  # noqa: PLR0913 - what an answer may take
        self,
        tasks: TaskManager,
        policy: Policy,
        task_count: int,
        *,
        owners: Owners,
        pages_url: Callable[[str], str | None],
        peers: PeerPages,
    ) -> None:
        self._tasks = tasks
        self._policy = policy
        self._task_count = task_count
        self._owners = owners
        self._pages_url = pages_url
        self._peers = peers
        self._explaining = asyncio.Semaphore(_BEING_EXPLAINED_MAX)

    async def answer(self, question: EpisodeQuestion) -> EpisodeAnswer:
        """What the workers last committed of the episode, or a sentence."""
        partition = home_partition(question.episode_id, self._task_count)
        if question.taken_for is not None:
            return await self._own(question, partition, question.taken_for)
        try:
            owner = await self._owners.owner_of(partition)
        except (kafka_errors.KafkaError, BrokerUnreachableError, AccessDeniedError, BrokerNotTrustedError) as error:
            _log.warning("episode_owner_not_known", error=error)
            return _later("The brokers do not say which worker has the episode.")
        if owner is None:
            return _later("The workers are dealing out their tasks: nobody has the episode at the moment.")
        generation = self._tasks.generation
        if generation is not None and generation.member_id == owner.member_id:
            return await self._own(question, partition, owner.member_id)
        return await self._forwarded(question, owner)

    async def close(self) -> None:
        """Ask nobody any more."""
        await self._owners.close()
        await self._peers.close()

    async def _own(self, question: EpisodeQuestion, partition: int, member_id: str) -> EpisodeAnswer:
        generation, task = self._tasks.generation, self._tasks.tasks.get(partition)
        if generation is None or generation.member_id != member_id or task is None:
            return _later("The worker that has the episode is taking its tasks over.")
        value, as_of_ms = task.episodes.get(episode_key(question.episode_id)), task.time.as_of_ms
        try:
            async with asyncio.timeout(_COMMIT_SECONDS_MAX):
                await self._tasks.settle()
        except TimeoutError:
            return _later("What is known of the episode is not committed yet.")
        if value is None:
            sentence = "The episode is not known: either the id is wrong, or its records are still on the way."
            return EpisodeAnswer(HTTPStatus.NOT_FOUND, _plain(sentence))
        async with self._explaining:
            # In a thread: an episode of a thousand facts takes longer than the records of others should wait.
            return EpisodeAnswer(HTTPStatus.OK, await asyncio.to_thread(self._explained, question, value, as_of_ms))

    def _explained(self, question: EpisodeQuestion, value: bytes, as_of_ms: int) -> Text:
        coded = decode_episode(value)
        explanation = explain_episode(question.episode_id, coded, self._policy, as_of_ms=as_of_ms)
        if _JSON in question.accept.lower():
            return Text(_JSON, orjson.dumps(explanation.as_json()))
        return Text("text/html; charset=utf-8", episode_page(explanation, self._policy).encode())

    async def _forwarded(self, question: EpisodeQuestion, owner: MemberReading) -> EpisodeAnswer:
        url = self._pages_url(owner.place)
        if url is None:
            return _later(
                "The worker that has the episode did not say where its pages are; one without cannot be asked."
            )
        try:
            return await self._peers.ask(url, question._replace(taken_for=owner.member_id))
        except PeerSilentError as error:
            _log.warning("peer_silent", place=owner.place, error=error)
            return _later("The worker that has the episode does not answer.")


def _later(sentence: str) -> EpisodeAnswer:
    return EpisodeAnswer(HTTPStatus.SERVICE_UNAVAILABLE, _plain(sentence), _RETRY_AFTER_SECONDS)


def _plain(sentence: str) -> Text:
    return Text("text/plain; charset=utf-8", f"{sentence}\n".encode())
