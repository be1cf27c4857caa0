"""A record's place in a trace, as its header tells it."""

import pytest

from streams.intake.decoder import Decoder
from streams.processing.records import Batch
from streams.processing.stream_task import StreamTask
from streams.processing.task_coder import Coder
from streams.processing.trace_context import TraceContext, coding_span, trace_context
from tests.care import care
from tests.policies_for_tests import DEFAULT, INSTRUMENTS
from tests.tasks_in_memory import TOPOLOGY, Record

TRACE_ID, SPAN_ID = 0x4BF92F3577B34DA6A3CE929D0E0E4736, 0x00F067AA0BA902B7
HEADER = b"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


def test_a_header() -> None:
    context = trace_context([("other", b""), ("traceparent", HEADER)])

    assert context == TraceContext(TRACE_ID, SPAN_ID, 1)
    assert context.is_sampled
    assert context.header == HEADER


@pytest.mark.parametrize(
    "value",
    [
        b"",
        b"00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
        b"01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        b"00-00000000000000000000000000000000-00f067aa0ba902b7-01",
        b"00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
        HEADER + b"-",
        b"\xff",
    ],
)
def test_what_is_no_context_is_passed_over(value: bytes) -> None:
    """A bad header of somebody else's costs the trace, not the record."""
    assert trace_context([("traceparent", value)]) is None


def test_without_a_header() -> None:
    assert trace_context([]) is None


def test_a_coding_event_is_a_child_with_a_span_of_its_own() -> None:
    """The same each time that it is told."""
    cause = TraceContext(TRACE_ID, SPAN_ID, 0)
    child = coding_span(cause, "0d0e7f9e-3c5b-5b6a-8f0e-2d1c0b9a8f7e")

    assert child == TraceContext(TRACE_ID, 0x0D0E7F9E3C5B5B6A, 0)
    assert not child.is_sampled


@pytest.mark.parametrize(("follows_traces", "continued"), [(True, True), (False, False)])
def test_a_coding_event_continues_the_trace_of_its_cause(follows_traces: bool, continued: bool) -> None:  # noqa: FBT001
    """Where the settings want it, and nowhere else."""
    counts = dict.fromkeys((specification.name for specification in TOPOLOGY.specifications), 1)
    coder = Coder(Decoder(INSTRUMENTS), DEFAULT, TOPOLOGY, counts, follows_traces=follows_traces)
    task = StreamTask(0, coder, {})
    first, second, last = care("E1")
    batches = [
        Batch(message.kind, [Record(message.kind, 0, offset, 0, None, message.value, headers)])
        for offset, message, headers in ((0, first, ()), (0, second, ()), (1, last, (("traceparent", HEADER),)))
    ]
    output = task.process(batches)

    (record,) = [record for record in output.records if record.topic == TOPOLOGY.coding_events]
    (coding,) = output.codings
    assert ("traceparent" in dict(record.headers)) == continued
    if continued:
        assert coding.cause == TraceContext(TRACE_ID, SPAN_ID, 1)
        assert coding.span is not None
        assert dict(record.headers)["traceparent"] == coding.span.header
