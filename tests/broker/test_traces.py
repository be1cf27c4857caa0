"""One survey followed from its producer's ``traceparent`` to its coding event, as a collector sees it."""

import asyncio
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

import pytest
from aiohttp import web
from aiokafka import AIOKafkaProducer
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from streams.kafka.connection import client_options
from streams.kafka.log_reader import read_log
from streams.local_kafka.loopback import free_ports
from tests.care import baseline, follow_up, treatment
from tests.fleet import WAIT_SECONDS_MAX, Fleet

if TYPE_CHECKING:
    from opentelemetry.proto.trace.v1.trace_pb2 import Span

pytestmark = pytest.mark.kafka

TRACE_ID, SPAN_ID = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"


class Collector:
    """Takes spans in, as a collector would."""

    def __init__(self, port: int) -> None:
        self.endpoint = f"http://127.0.0.1:{port}"
        self.spans: asyncio.Queue[Span] = asyncio.Queue()

    async def take(self, request: web.Request) -> web.Response:
        """One export."""
        export = ExportTraceServiceRequest.FromString(await request.read())
        for resource in export.resource_spans:
            for scope in resource.scope_spans:
                for span in scope.spans:
                    self.spans.put_nowait(span)
        return web.Response(content_type="application/x-protobuf")


@pytest.fixture
async def collector() -> AsyncIterator[Collector]:
    """A collector on a port of its own."""
    (port,) = free_ports(1)
    collector = Collector(port)
    application = web.Application()
    application.router.add_post("/v1/traces", collector.take)
    runner = web.AppRunner(application)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    yield collector
    await runner.cleanup()


async def test_a_survey_is_followed_to_its_code(
    fleet: Fleet, collector: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where it lies in another partition than its episode's; the event continues the trace, and is its span."""
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.endpoint)
    monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "100")
    fleet.start(fleet.settings.model_copy(update={"follow_traces": True}))
    async with AIOKafkaProducer(**client_options(fleet.connection)) as producer:
        for message in (baseline("E1"), treatment("E1")):
            await producer.send_and_wait(f"{fleet.settings.topic_prefix}{message.kind}", message.value, partition=0)
        await fleet.until_done()
        last = follow_up("E1")
        headers = [("traceparent", f"00-{TRACE_ID}-{SPAN_ID}-01".encode())]
        topic = f"{fleet.settings.topic_prefix}{last.kind}"
        await producer.send_and_wait(topic, last.value, partition=1, headers=headers)
    await fleet.until_done()

    async with asyncio.timeout(WAIT_SECONDS_MAX):
        span = await collector.spans.get()
    (event,) = [r async for records in read_log(fleet.connection, [fleet.topology.coding_events]) for r in records]
    assert (span.trace_id.hex(), span.parent_span_id.hex()) == (TRACE_ID, SPAN_ID)
    assert dict(event.headers)["traceparent"] == f"00-{TRACE_ID}-{span.span_id.hex()}-01".encode()
    assert span.start_time_unix_nano <= span.end_time_unix_nano
    told = {attribute.key: attribute.value.string_value for attribute in span.attributes}
    assert (told["g9603.action"], told["g9603.code"]) == ("new", "G9603")
    assert "E1" not in repr(span)
