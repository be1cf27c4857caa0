"""The pages about one episode each: patient data, so nobody sees them without the token, not even on loopback."""

from urllib.parse import quote, unquote

from aiohttp import web

from streams.documents.page import CONTENT_POLICY as DOCUMENT_POLICY
from streams.web.connection import CONTENT_POLICY, answer_with
from streams.web.source import EpisodeQuestion, EpisodeSource

EPISODES = "/episodes/"
TAKEN_FOR = "G9603-Taken-For"
"""The header by which one worker tells another that it asks on somebody's behalf, and for whom it takes it."""
EPISODES_CLOSED = "Episodes are patient data: set G9603_WEB_TOKEN_FILE on every worker to show them."


def is_of_an_episode(request: web.BaseRequest) -> bool:
    """Whether *request* asks about an episode."""
    return request.rel_url.raw_path.startswith(EPISODES) and len(request.rel_url.raw_path) > len(EPISODES)


def episode_path(episode_id: str) -> str:
    """Where the page about an episode is, whatever characters its id has."""
    return f"{EPISODES}{quote(episode_id, safe='')}"


async def episode_response(request: web.BaseRequest, episodes: EpisodeSource) -> web.Response:
    """The answer to *request*, which may be given."""
    episode_id = unquote(request.rel_url.raw_path.removeprefix(EPISODES))
    question = EpisodeQuestion(episode_id, request.headers.get("Accept", ""), request.headers.get(TAKEN_FOR))
    status, text, retry_after_seconds = await episodes.answer(question)
    headers = {CONTENT_POLICY: f"{DOCUMENT_POLICY}; frame-ancestors 'none'"}
    if retry_after_seconds is not None:
        headers["Retry-After"] = str(retry_after_seconds)
    return answer_with(status, text.content_type, text.content, **headers)
