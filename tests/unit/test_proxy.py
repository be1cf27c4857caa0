"""Each fault of the network does to a connection what it says, and to no other; without a rule nothing is changed.

The broker is a small server that answers each request with its body; the connections are real ones.
"""

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator
from typing import NamedTuple

import pytest

from streams.local_kafka.loopback import free_ports
from tests.chaos.faults import (
    Delay,
    Effect,
    Hold,
    Lose,
    LoseSilently,
    Refuse,
    Rule,
    Throttle,
    Way,
    process,
)
from tests.chaos.kafka_wire import ApiKey, RequestHeader, encoded_request, framed, read_message, request_header
from tests.chaos.proxy import Proxy

WAIT_SECONDS_MAX = 30.0
QUIET_SECONDS = 0.2


class Caller:
    """A client of the proxy; it has one request on the way at a time."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer
        self._asked = 0

    def ask(self, api_key: ApiKey, body: bytes) -> None:
        """Send a request."""
        self._asked += 1
        self.writer.write(framed(encoded_request(RequestHeader(api_key, 0, self._asked, "caller"), body)))

    async def answer(self) -> bytes | None:
        """The next answer; None where the connection ended."""
        async with asyncio.timeout(WAIT_SECONDS_MAX):
            try:
                message = await read_message(self.reader)
            except (OSError, asyncio.IncompleteReadError):
                return None
        return None if message is None else message[4:]

    async def call(self, api_key: ApiKey, body: bytes) -> bytes | None:
        """Send a request, and take its answer."""
        self.ask(api_key, body)
        return await self.answer()


class Setting(NamedTuple):
    """A proxy between its callers and a server that echoes."""

    proxy: Proxy
    arrived: list[bytes]
    """The bodies that reached the server."""
    connections: contextlib.AsyncExitStack

    async def caller(self) -> Caller:
        """One more connection."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.proxy.port)
        self.connections.callback(writer.close)
        return Caller(reader, writer)


@pytest.fixture
async def setting() -> AsyncIterator[Setting]:
    port, broker_port = free_ports(2)
    arrived: list[bytes] = []

    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            while (message := await read_message(reader)) is not None:
                header = request_header(message)
                body = message[len(encoded_request(header)) :]
                arrived.append(body)
                writer.write(framed(header.correlation_id.to_bytes(4) + body))
                await writer.drain()
        writer.close()

    server = await asyncio.start_server(echo, "127.0.0.1", broker_port)
    proxy = Proxy(port=port, broker_port=broker_port)
    await proxy.open()
    async with contextlib.AsyncExitStack() as connections:
        yield Setting(proxy, arrived, connections)
    await proxy.close()
    server.close()


async def until_arrived(setting: Setting, *bodies: bytes) -> None:
    async with asyncio.timeout(WAIT_SECONDS_MAX):
        while setting.arrived != list(bodies):
            await asyncio.sleep(0.01)


async def until_hit(rule: Rule, times: int = 1) -> None:
    async with asyncio.timeout(WAIT_SECONDS_MAX):
        while rule.hits < times:
            await asyncio.sleep(0.01)


async def is_quiet(caller: Caller) -> bool:
    """Whether no answer comes for a moment, and the connection stays open."""
    try:
        async with asyncio.timeout(QUIET_SECONDS):
            await caller.reader.read(1)
    except TimeoutError:
        return True
    return False


async def test_without_a_rule_everything_passes(setting: Setting) -> None:
    caller = await setting.caller()
    bodies = [b"", b"x", os.urandom(3_000_000), b"last"]

    for body in bodies:
        assert await caller.call(ApiKey.PRODUCE, body) == body
    assert setting.proxy.tally == {"connections": 1, "requests": 4, "answers": 4}


async def test_answers_keep_the_order_of_requests(setting: Setting) -> None:
    caller = await setting.caller()
    setting.proxy.add(Rule(Delay(0.01, 0.05)))
    bodies = [bytes([number]) for number in range(20)]
    for body in bodies:
        caller.ask(ApiKey.FETCH, body)

    assert [await caller.answer() for _ in bodies] == bodies


async def test_lost_answer_was_served_and_the_connection_is_reset(setting: Setting) -> None:
    caller = await setting.caller()
    setting.proxy.add(Rule(Lose(), ApiKey.END_TXN, Way.ANSWER, skip=1, times=1))

    assert await caller.call(ApiKey.END_TXN, b"first") == b"first"
    assert await caller.call(ApiKey.PRODUCE, b"other") == b"other"
    assert await caller.call(ApiKey.END_TXN, b"second") is None
    assert setting.arrived == [b"first", b"other", b"second"]
    again = await setting.caller()
    assert await again.call(ApiKey.END_TXN, b"third") == b"third"
    assert setting.proxy.tally["lost END_TXN answer"] == 1


async def test_lost_request_is_not_served(setting: Setting) -> None:
    caller = await setting.caller()
    setting.proxy.add(Rule(Lose(), ApiKey.PRODUCE, Way.REQUEST, times=1))

    assert await caller.call(ApiKey.PRODUCE, b"lost") is None
    assert await (await setting.caller()).call(ApiKey.PRODUCE, b"sent") == b"sent"
    assert setting.arrived == [b"sent"]


async def test_answer_lost_in_silence_leaves_the_connection_open_and_dead(setting: Setting) -> None:
    caller, other = await setting.caller(), await setting.caller()
    rule = Rule(LoseSilently(), ApiKey.INIT_PRODUCER_ID, Way.ANSWER, times=1)
    setting.proxy.add(rule)

    caller.ask(ApiKey.INIT_PRODUCER_ID, b"unanswered")
    await until_hit(rule)
    caller.ask(ApiKey.METADATA, b"behind")
    await until_arrived(setting, b"unanswered", b"behind")

    assert await is_quiet(caller)
    assert await other.call(ApiKey.INIT_PRODUCER_ID, b"other") == b"other"


@pytest.mark.parametrize("way", Way)
async def test_held_message_waits_for_the_rule_to_be_lifted(setting: Setting, way: Way) -> None:
    caller, other = await setting.caller(), await setting.caller()
    rule = Rule(Hold(), ApiKey.END_TXN, way, times=1)
    setting.proxy.add(rule)

    caller.ask(ApiKey.END_TXN, b"held")
    await until_hit(rule)
    assert await is_quiet(caller)
    assert setting.arrived == ([] if way is Way.REQUEST else [b"held"])
    assert await other.call(ApiKey.END_TXN, b"other") == b"other"

    setting.proxy.lift(rule)
    assert await caller.answer() == b"held"


async def test_held_request_arrives_though_its_sender_has_gone(setting: Setting) -> None:
    """This is what makes a late EndTxn dangerous."""
    caller = await setting.caller()
    rule = Rule(Hold(), ApiKey.END_TXN, Way.REQUEST)
    setting.proxy.add(rule)
    caller.ask(ApiKey.END_TXN, b"late")
    await until_hit(rule)
    caller.writer.transport.abort()
    assert await (await setting.caller()).call(ApiKey.PRODUCE, b"meanwhile") == b"meanwhile"

    setting.proxy.lift(rule)

    await until_arrived(setting, b"meanwhile", b"late")


async def test_hold_also_holds_what_is_being_delayed(setting: Setting) -> None:
    """A partition that begins while a message is on its way stops it, too."""
    caller = await setting.caller()
    delay, hold = Rule(Delay(QUIET_SECONDS), way=Way.REQUEST), Rule(Hold())
    setting.proxy.add(delay)
    caller.ask(ApiKey.FETCH, b"on its way")
    await until_hit(delay)
    setting.proxy.add(hold)
    await until_hit(hold)

    assert setting.arrived == []
    setting.proxy.lift(hold)
    assert await caller.answer() == b"on its way"


@pytest.mark.parametrize("effect", [Delay(0.0, 0.01), Throttle(50_000)])
async def test_slow_network_changes_nothing(setting: Setting, effect: Effect) -> None:
    caller = await setting.caller()
    rule = Rule(effect)
    setting.proxy.add(rule)
    body = os.urandom(20_000)

    assert await caller.call(ApiKey.FETCH, body) == body
    assert rule.hits == 2


async def test_refused_while_the_rule_holds(setting: Setting) -> None:
    standing = await setting.caller()
    assert await standing.call(ApiKey.FETCH, b"before") == b"before"
    rule = Rule(Refuse())
    setting.proxy.add(rule)

    assert await (await setting.caller()).call(ApiKey.FETCH, b"refused") is None
    assert await standing.call(ApiKey.FETCH, b"standing") == b"standing"
    setting.proxy.lift(rule)
    assert await (await setting.caller()).call(ApiKey.FETCH, b"after") == b"after"
    assert setting.arrived == [b"before", b"standing", b"after"]


async def test_reset_ends_every_connection(setting: Setting) -> None:
    callers = [await setting.caller() for _ in range(3)]
    for caller in callers:
        assert await caller.call(ApiKey.FETCH, b"x") == b"x"

    assert setting.proxy.reset() == 3
    assert [await caller.answer() for caller in callers] == [None] * 3


@pytest.mark.parametrize(("owner", "is_meant"), [(os.getpid(), True), (os.getppid(), False)], ids=["ours", "other"])
async def test_rule_for_one_process(setting: Setting, owner: int, is_meant: bool) -> None:  # noqa: FBT001 - a table
    caller = await setting.caller()
    setting.proxy.add(Rule(Lose(), clients=process(owner)))

    assert (await caller.call(ApiKey.FETCH, b"x") is None) is is_meant


async def test_connection_to_a_broker_that_is_down_is_reset() -> None:
    port, silent_port = free_ports(2)
    proxy = Proxy(port=port, broker_port=silent_port)
    await proxy.open()
    caller = Caller(*await asyncio.open_connection("127.0.0.1", port))

    assert await caller.answer() is None
    assert proxy.tally == {"connections to a broker that is down": 1}
    caller.writer.close()
    await proxy.close()


async def test_what_is_no_kafka_ends_the_connection(setting: Setting) -> None:
    caller = await setting.caller()
    caller.writer.write(b"GET / HTTP/1.1\r\n\r\n")

    assert await caller.answer() is None
    assert setting.arrived == []
