"""What do the pages say, and to whom?"""

from collections.abc import Callable, Iterator, Mapping
from http import HTTPStatus
from importlib import resources
from pathlib import PurePath
from typing import NamedTuple

from streams.web.source import PageSource, Text

_PLAIN = "text/plain; charset=utf-8"
_CONTENT_TYPES = {".css": "text/css", ".html": "text/html", ".js": "text/javascript"}


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


def _always(page: Page) -> Callable[[PageSource, str], Page]:
    return lambda _source, _accept: page


def _assets() -> Iterator[tuple[str, Route]]:
    """What the page of the group is made of: its files by their names, and the one to begin with at the root."""
    for file in resources.files(__package__).joinpath("page").iterdir():
        content_type = _CONTENT_TYPES[PurePath(file.name).suffix]
        page = Page(HTTPStatus.OK, Text(f"{content_type}; charset=utf-8", file.read_bytes()))
        path = "/" if file.name == "index.html" else f"/page/{file.name}"
        yield path, Route(_always(page))


ROUTES: Mapping[str, Route] = {
    **dict(_assets()),
    "/group": Route(group),
    # Supervisors and load balancers carry no token, and these say nothing that one would be needed for.
    "/healthz": Route(healthz, is_public=True),
    "/readyz": Route(readyz, is_public=True),
    "/metrics": Route(metrics),
}
GROUP_EVENTS = "/group/events"
"""The one that does not end: a stream of the group's changes."""
