"""What do the pages tell of? Whoever fills this. Only an episode is patient data."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from http import HTTPStatus
from typing import NamedTuple, Protocol


@dataclass(frozen=True, slots=True)
class WorkerStatus:
    """How a worker is, at one instant."""

    trouble: str | None
    """Why it should be ended and started again; None while it is well."""
    waiting: str | None
    """Why it cannot code yet, such as "restoring"; None while it can."""


class Text(NamedTuple):
    """A text, and what it is."""

    content_type: str
    content: bytes


class PageSource(Protocol):
    """Asked in the event loop of the pages; it must not wait."""

    def status(self) -> WorkerStatus:
        """How the worker is."""

    def metrics(self, accept: str) -> Text:
        """Its figures, in a format that the header ``Accept`` takes."""

    def group(self) -> bytes:
        """The whole group and its history, as JSON."""

    def group_changes(self) -> AsyncIterator[bytes]:
        """The group, as JSON on one line: at once, and again whenever it was looked at."""


class EpisodeQuestion(NamedTuple):
    """What is asked about an episode."""

    episode_id: str
    accept: str
    """The header ``Accept``: JSON, or else a page."""
    taken_for: str | None
    """The member of the group that another worker takes its reader for; None where nobody has looked yet."""


class EpisodeAnswer(NamedTuple):
    """What is answered."""

    status: HTTPStatus
    text: Text
    retry_after_seconds: int | None = None
    """When to ask again, where there is no answer now."""


class EpisodeSource(Protocol):
    """Knows every episode, or who to ask."""

    async def answer(self, question: EpisodeQuestion) -> EpisodeAnswer:
        """What the workers last committed of the episode, or a sentence: never what they held before."""
