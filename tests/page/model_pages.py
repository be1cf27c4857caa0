"""The pages of a worker whose group is a model, served as a worker serves them."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import msgspec

from streams.local_kafka.loopback import free_ports
from streams.monitoring.group_view import GroupView, encode_view
from streams.monitoring.history import GroupSnapshot
from streams.web.access import WebAccess
from streams.web.server import WebServer
from streams.web.source import Text, WorkerStatus
from tests.page.model_group import ModelGroup


class ModelPages:
    """A `PageSource` of a model.

    Args:
        group: What is shown. A test that changes it calls `tell`.
    """

    def __init__(self, group: ModelGroup, token: bytes | None = None) -> None:
        self._group = group
        self._told = asyncio.Event()
        self._is_served = False
        (port,) = free_ports(1)
        self._access = WebAccess("127.0.0.1", port, token, None)
        self.address = f"http://127.0.0.1:{port}/"

    @property
    def view(self) -> GroupView:
        """What is shown."""
        return self._group.monitor.view(self._group.now_ms)

    @asynccontextmanager
    async def served(self) -> AsyncIterator[None]:
        """At their address; they can go, and come back there."""
        server = WebServer(self._access, self)
        await server.start()
        self._is_served = True
        try:
            yield
        finally:
            self._is_served = False
            self.tell()
            await server.stop()

    def tell(self, change: Callable[[], object] = lambda: None) -> None:
        """Make *change*, and tell all who look on."""
        change()
        self._told.set()
        self._told = asyncio.Event()

    def status(self) -> WorkerStatus:
        """Well."""
        return WorkerStatus(None, None)

    def metrics(self, accept: str) -> Text:
        """None that a test would look at."""
        del accept
        return Text("text/plain", b"")

    def group(self) -> bytes:
        """The group and its history."""
        return msgspec.json.encode(GroupSnapshot(self.view, self._group.monitor.history))

    async def group_changes(self) -> AsyncIterator[bytes]:
        """The group at once, and when it was told."""
        while self._is_served:
            told = self._told
            yield encode_view(self.view)
            await told.wait()
