"""What lies between all clients and all brokers: one proxy per broker, in a thread of their own.

The thread keeps the network running while a scenario blocks, and lets blocking code change it.
"""

import asyncio
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TypeVar

from tests.chaos.faults import Client, Hold, Refuse, Rule, everyone
from tests.chaos.proxy import Proxy

_CALL_SECONDS_MAX = 30.0

_T = TypeVar("_T")


class Network:
    """The proxies; every method may be called from any thread, and returns when it has happened.

    Args:
        ports: By broker: the port that clients know, and the broker's own.
    """

    def __init__(self, ports: Mapping[int, tuple[int, int]]) -> None:
        self._proxies = {
            broker: Proxy(port=port, broker_port=broker_port) for broker, (port, broker_port) in ports.items()
        }
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="network", daemon=True)

    def start(self) -> None:
        """Open every proxy."""
        self._thread.start()
        for proxy in self._proxies.values():
            asyncio.run_coroutine_threadsafe(proxy.open(), self._loop).result(_CALL_SECONDS_MAX)

    def stop(self) -> None:
        """Close every proxy, and end the thread."""
        if not self._thread.is_alive():
            return
        self.clear()
        for proxy in self._proxies.values():
            asyncio.run_coroutine_threadsafe(proxy.close(), self._loop).result(_CALL_SECONDS_MAX)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(_CALL_SECONDS_MAX)
        self._loop.close()

    def add(self, rule: Rule, *brokers: int) -> Rule:
        """Apply *rule* before *brokers*, or all of them where none is named; gives it back."""

        def on_loop() -> None:
            for broker in brokers or self._proxies:
                self._proxies[broker].add(rule)

        self._call(on_loop)
        return rule

    def lift(self, rule: Rule) -> None:
        """Apply *rule* nowhere any more."""

        def on_loop() -> None:
            for proxy in self._proxies.values():
                proxy.lift(rule)

        self._call(on_loop)

    def clear(self) -> None:
        """Apply no rule any more."""
        for rule in {rule for proxy in self._proxies.values() for rule in proxy.rules}:
            self.lift(rule)

    @contextmanager
    def under(self, rule: Rule, *brokers: int) -> Iterator[Rule]:
        """Apply *rule* for a while."""
        self.add(rule, *brokers)
        try:
            yield rule
        finally:
            self.lift(rule)

    def reset(self, *brokers: int, clients: Callable[[Client], bool] = everyone) -> int:
        """Reset the open connections of *clients* to *brokers*; how many there were."""
        return self._call(lambda: sum(self._proxies[broker].reset(clients) for broker in brokers or self._proxies))

    @contextmanager
    def cut(self, *brokers: int, clients: Callable[[Client], bool] = everyone) -> Iterator[None]:
        """A partition that is noticed: connections are reset, and new ones refused."""
        with self.under(Rule(Refuse(), clients=clients), *brokers):
            self.reset(*brokers, clients=clients)
            yield

    @contextmanager
    def hung(self, *brokers: int, clients: Callable[[Client], bool] = everyone) -> Iterator[None]:
        """A partition that is not noticed: connections stay, and can be made, and nothing passes."""
        with self.under(Rule(Hold(), clients=clients), *brokers):
            yield

    @property
    def tally(self) -> Counter[str]:
        """What all proxies have done so far."""
        return self._call(lambda: sum((proxy.tally for proxy in self._proxies.values()), Counter()))

    def _call(self, function: Callable[[], _T]) -> _T:
        async def on_loop() -> _T:
            return function()

        return asyncio.run_coroutine_threadsafe(on_loop(), self._loop).result(_CALL_SECONDS_MAX)
