"""What do the pages say?"""

from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import NamedTuple

from streams.web.status import WorkerStatus


class Page(NamedTuple):
    """An answer in plain text."""

    status: HTTPStatus
    text: str


class Route(NamedTuple):
    """A page, and whether it is there for everyone who reaches it."""

    page: Callable[[WorkerStatus], Page]
    is_public: bool = False


def healthz(status: WorkerStatus) -> Page:
    """Whether the worker is alive: its event loop answers, and its steps come forward."""
    if status.trouble is not None:
        return Page(HTTPStatus.SERVICE_UNAVAILABLE, status.trouble)
    return Page(HTTPStatus.OK, "alive")


def readyz(status: WorkerStatus) -> Page:
    """Whether the worker is ready: its tasks are assigned and restored."""
    if status.waiting is not None:
        return Page(HTTPStatus.SERVICE_UNAVAILABLE, status.waiting)
    return Page(HTTPStatus.OK, "ready")


def front(status: WorkerStatus) -> Page:
    """What runs here, by which rules, and on which partitions."""
    partitions = ", ".join(map(str, sorted(status.partitions))) or "none"
    lines = (
        f"g9603 {status.build}",
        f"policy {status.policy_id}, version {status.policy_version}",
        f"group {status.group}, partitions: {partitions}",
        f"{status.trouble or 'alive'}, {status.waiting or 'ready'}",
    )
    return Page(HTTPStatus.OK, "\n".join(lines))


ROUTES: Mapping[str, Route] = {
    "/": Route(front),
    # Supervisors and load balancers carry no token, and these say nothing that one would be needed for.
    "/healthz": Route(healthz, is_public=True),
    "/readyz": Route(readyz, is_public=True),
}
