"""Stands between clients and one broker, reads whole messages, and lets faults happen to them.

Messages keep their order on a connection, as on TCP: what is behind one that waits waits, too. What has been taken
from a client is delivered even when the client has gone meanwhile, for that is what makes a late request dangerous.
"""

import asyncio
import struct
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from socket import SO_LINGER, SOL_SOCKET
from typing import NamedTuple

from streams.worker.group_watch import WATCH_CLIENT_ID
from tests.chaos.connection_owner import LocalClient
from tests.chaos.faults import Client, Delay, Hold, Lose, LoseSilently, Message, Refuse, Rule, Throttle, Way, everyone
from tests.chaos.kafka_wire import ApiKey, NoKafkaError, correlation_id, framed, read_message, request_header

_LOOPBACK = "127.0.0.1"
_WAITING_MAX = 256
"""Messages on the way in one direction of a connection; then nothing more is read from that side."""
_CHUNKS_PER_SECOND = 10
_UNKNOWN_API_KEY = -1
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)
_TOLD = {Hold: "held", Delay: "delayed", Throttle: "throttled", Lose: "lost", LoseSilently: "lost in silence"}


class Proxy:
    """Forwards every connection to *port* to *broker_port*, both on loopback; lives in one event loop."""

    def __init__(self, *, port: int, broker_port: int) -> None:
        self.port = port
        self.tally: Counter[str] = Counter()
        """What it has done: messages by way, and faults by kind, as in ``lost END_TXN answer``."""
        self.rules: list[Rule] = []
        self._broker_port = broker_port
        self._server: asyncio.Server | None = None
        self._connections: dict[asyncio.Task[None], _Connection] = {}

    async def open(self) -> None:
        """Begin to listen."""
        self._server = await asyncio.start_server(self._accept, _LOOPBACK, self.port)

    async def close(self) -> None:
        """End every connection, and listen no more."""
        if self._server is not None:
            self._server.close()
        tasks = list(self._connections)
        self.reset()
        if tasks:
            await asyncio.wait(tasks)

    def add(self, rule: Rule) -> None:
        """Apply *rule* to what comes, and to what is waiting, from now on."""
        self.rules.append(rule)

    def lift(self, rule: Rule) -> None:
        """Apply *rule* no more, and let go what it holds."""
        if rule in self.rules:
            self.rules.remove(rule)
        rule.lifted.set()

    def reset(self, clients: Callable[[Client], bool] = everyone) -> int:
        """Reset the open connections of *clients*; how many there were."""
        chosen = [task for task, connection in self._connections.items() if clients(connection.client)]
        for task in chosen:
            self._connections[task].abort()
            task.cancel()
        self.tally["reset connections"] += len(chosen)
        return len(chosen)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        client = LocalClient(writer.get_extra_info("peername")[1], self.port)
        task = asyncio.current_task()
        if any(rule.meets_connection(client) for rule in self.rules):
            self.tally["refused connections"] += 1
            _abort(writer)
            return
        try:
            broker = await asyncio.open_connection(_LOOPBACK, self._broker_port)
        except OSError:
            self.tally["connections to a broker that is down"] += 1
            _abort(writer)
            return
        connection = _Connection(self, client, _Side(reader, writer), _Side(*broker))
        assert task is not None  # a callback of the server is one
        self._connections[task] = connection
        self.tally["connections"] += 1
        try:
            await connection.run()
        except asyncio.CancelledError:
            pass  # reset; nobody awaits this task
        finally:
            del self._connections[task]
            connection.abort()


class _Side(NamedTuple):
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter


class _Arrived(NamedTuple):
    message: bytes
    api_key: int
    at: float


class _Connection:
    def __init__(self, proxy: Proxy, client: Client, client_side: _Side, broker_side: _Side) -> None:
        self.client = client
        self._proxy = proxy
        self._client_side = client_side
        self._broker_side = broker_side
        self._api_keys: dict[int, int] = {}
        """Of the requests that are not yet answered, by correlation id."""
        self._silent: set[Way] = set()

    def abort(self) -> None:
        """Reset both sides."""
        _abort(self._client_side.writer)
        _abort(self._broker_side.writer)

    async def run(self) -> None:
        """Forward until the broker has ended the connection, or the client has and all of its requests are gone."""
        client, broker = self._client_side, self._broker_side
        async with asyncio.TaskGroup() as pumps:
            requests = pumps.create_task(self._pump(Way.REQUEST, client.reader, broker.writer))
            await self._pump(Way.ANSWER, broker.reader, client.writer)
            if Way.ANSWER not in self._silent:
                requests.cancel()  # else the client must not learn of the end, and gives up by itself
        for side in (client, broker):
            side.writer.close()
            with suppress(OSError):
                await side.writer.wait_closed()  # what is still in its buffer goes out

    async def _pump(self, way: Way, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        arrived: asyncio.Queue[_Arrived | None] = asyncio.Queue(_WAITING_MAX)
        async with asyncio.TaskGroup() as tasks:
            receiving = tasks.create_task(self._receive(way, reader, arrived))
            await self._deliver(way, arrived, writer)
            receiving.cancel()

    async def _receive(self, way: Way, reader: asyncio.StreamReader, arrived: asyncio.Queue[_Arrived | None]) -> None:
        clock = asyncio.get_running_loop().time
        with suppress(OSError, asyncio.IncompleteReadError, NoKafkaError):
            while (message := await read_message(reader)) is not None:
                await arrived.put(_Arrived(message, self._api_key(way, message), clock()))
        await arrived.put(None)

    def _api_key(self, way: Way, message: bytes) -> int:
        if way is Way.ANSWER:
            return self._api_keys.pop(correlation_id(message), _UNKNOWN_API_KEY)
        header = request_header(message)
        # What a worker's watch asks is none of the requests that a scenario means.
        api_key = _UNKNOWN_API_KEY if header.client_id == WATCH_CLIENT_ID else header.api_key
        self._api_keys[header.correlation_id] = api_key
        return api_key

    async def _deliver(self, way: Way, arrived: asyncio.Queue[_Arrived | None], writer: asyncio.StreamWriter) -> None:
        """Write what arrives, when the rules let it; then tell the receiver that this was all."""
        while (next_one := await arrived.get()) is not None:
            self._proxy.tally[f"{way.name.lower()}s"] += 1
            met = await self._met(Message(way, next_one.api_key, self.client), next_one.at)
            effects = [rule.effect for rule in met]
            if any(isinstance(effect, Lose) for effect in effects):
                self.abort()
                return
            if any(isinstance(effect, LoseSilently) for effect in effects):
                self._silent.add(way)
            if way not in self._silent:
                rates = [effect.bytes_per_second for effect in effects if isinstance(effect, Throttle)]
                with suppress(OSError):  # the receiver has gone; what the other side still says is heard out
                    await _write(writer, framed(next_one.message), min(rates, default=None))
        if way not in self._silent:
            with suppress(OSError):
                writer.write_eof()

    async def _met(self, message: Message, arrived_at: float) -> list[Rule]:
        """The rules that apply to *message*, when those that make it wait are done. One added meanwhile counts."""
        met: list[Rule] = []
        asked: set[Rule] = set()
        loop = asyncio.get_running_loop()
        while fresh := [rule for rule in self._proxy.rules if rule not in asked]:
            asked.update(fresh)
            for rule in [rule for rule in fresh if rule.meets(message)]:
                met.append(rule)
                self._proxy.tally[f"{_TOLD[type(rule.effect)]} {_name(message)}"] += 1
                match rule.effect:
                    case Hold():
                        await rule.lifted.wait()
                    case Delay() as delay:
                        seconds = delay.seconds + delay.seeded.uniform(0.0, delay.jitter_seconds)
                        await asyncio.sleep(arrived_at + seconds - loop.time())
                    case Lose() | LoseSilently() | Throttle() | Refuse():
                        pass
        return met


def _name(message: Message) -> str:
    known = message.api_key in ApiKey.__members__.values()
    return f"{ApiKey(message.api_key).name if known else f'API {message.api_key}'} {message.way.name.lower()}"


async def _write(writer: asyncio.StreamWriter, data: bytes, bytes_per_second: int | None) -> None:
    if bytes_per_second is None:
        writer.write(data)
        await writer.drain()
        return
    size = max(1, bytes_per_second // _CHUNKS_PER_SECOND)
    for start in range(0, len(data), size):
        chunk = data[start : start + size]
        writer.write(chunk)
        await writer.drain()
        await asyncio.sleep(len(chunk) / bytes_per_second)


def _abort(writer: asyncio.StreamWriter) -> None:
    """Close so that the far end reads "connection reset", not "end of file"."""
    transport = writer.transport
    if not transport.is_closing():
        with suppress(OSError):
            writer.get_extra_info("socket").setsockopt(SOL_SOCKET, SO_LINGER, _RESET_ON_CLOSE)
    transport.abort()
