"""What do the pages say, and to whom?"""

from collections.abc import Callable, Mapping
from http import HTTPStatus
from importlib import resources
from typing import NamedTuple

from streams.web.source import PageSource, Text

_PLAIN = "text/plain; charset=utf-8"


class Page(NamedTuple):
    """An answer."""

    status: HTTPStatus
    text: Text


class Route(NamedTuple):
    """A page, and whether it is there for everyone who reaches it."""

    page: Callable[[PageSource, str], Page]
    """Of the source and the header ``Accept``."""
    is_public: bool = False


def healthz(source: PageSource, _accept: str) -> Page:
    """Whether the worker is alive: its event loop answers, and what should move, moves."""
    trouble = source.status().trouble
    if trouble is not None:
        return _plain(HTTPStatus.SERVICE_UNAVAILABLE, trouble)
    return _plain(HTTPStatus.OK, "alive")


def readyz(source: PageSource, _accept: str) -> Page:
    """Whether the worker is ready: its tasks are assigned and restored, and not too far behind."""
    waiting = source.status().waiting
    if waiting is not None:
        return _plain(HTTPStatus.SERVICE_UNAVAILABLE, waiting)
    return _plain(HTTPStatus.OK, "ready")


def metrics(source: PageSource, accept: str) -> Page:
    """The worker's figures, for Prometheus."""
    return Page(HTTPStatus.OK, source.metrics(accept))


def group(source: PageSource, _accept: str) -> Page:
    """The whole group."""
    return Page(HTTPStatus.OK, Text("application/json", source.group()))


def _plain(status: HTTPStatus, sentence: str) -> Page:
    return Page(status, Text(_PLAIN, f"{sentence}\n".encode()))


def _asset(name: str, content_type: str) -> Route:
    content = resources.files(__package__).joinpath("page", name).read_bytes()
    page = Page(HTTPStatus.OK, Text(f"{content_type}; charset=utf-8", content))
    return Route(lambda _source, _accept: page)


ROUTES: Mapping[str, Route] = {
    "/": _asset("index.html", "text/html"),
    "/page.css": _asset("page.css", "text/css"),
    "/page.js": _asset("page.js", "text/javascript"),
    "/group": Route(group),
    # Supervisors and load balancers carry no token, and these say nothing that one would be needed for.
    "/healthz": Route(healthz, is_public=True),
    "/readyz": Route(readyz, is_public=True),
    "/metrics": Route(metrics),
}
GROUP_EVENTS = "/group/events"
"""The one that does not end: a stream of the group's changes."""
