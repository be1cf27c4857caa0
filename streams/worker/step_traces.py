"""Tells OpenTelemetry of each coding event: a span from the record that caused it until the event was committed.

Spans are made when a step is committed, of what has happened. Their ids were given before: they stand in the headers
of what was written. Where they go to is said by OpenTelemetry's own variables (``OTEL_EXPORTER_OTLP_ENDPOINT``).
"""

import time

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import SERVICE_NAME, Resource
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import SpanContext, SpanKind, TraceFlags

from streams.processing.task_output import CodingTold
from streams.processing.trace_context import TraceContext
from streams.worker.observer import PassingOn, WorkObserver
from streams.worker.step import Step

_NS_PER_MS = 1_000_000
_SPAN_NAME = "send coding-events"
"""As OpenTelemetry's conventions name spans of messaging: the operation, and the destination."""


def span_processor() -> SpanProcessor:
    """Sends spans in batches, from a thread of its own, to where the environment says."""
    return BatchSpanProcessor(OTLPSpanExporter())


class StepTraces(PassingOn):
    """Sends the spans of committed steps, and passes everything on.

    Args:
        observer: Is told, too.
        processor: Takes finished spans; it must not wait.
        service: The name under which they are shown.
    """

    def __init__(self, observer: WorkObserver, processor: SpanProcessor, *, service: str) -> None:
        super().__init__(observer)
        self._processor = processor
        self._resource = Resource.create({SERVICE_NAME: service})

    def step_committed(self, step: Step) -> None:
        """A step is committed."""
        now_ns = time.time_ns()
        for output in step.outputs:
            for coding in output.codings:
                if coding.cause is not None and coding.span is not None and coding.cause.is_sampled:
                    self._processor.on_end(self._span(coding, coding.cause, coding.span, now_ns))
        super().step_committed(step)

    def _span(self, coding: CodingTold, cause: TraceContext, span: TraceContext, now_ns: int) -> ReadableSpan:
        return ReadableSpan(
            name=_SPAN_NAME,
            context=_span_context(span, is_remote=False),
            parent=_span_context(cause, is_remote=True),
            resource=self._resource,
            kind=SpanKind.PRODUCER,
            attributes={
                "messaging.system": "kafka",
                "messaging.operation.type": "send",
                "g9603.action": coding.action,
                "g9603.code": coding.code,
                "g9603.instrument": coding.instrument,
                "g9603.payer": coding.payer,
            },
            start_time=min(coding.caused_at_ms * _NS_PER_MS, now_ns),
            end_time=now_ns,
        )


def _span_context(context: TraceContext, *, is_remote: bool) -> SpanContext:
    return SpanContext(context.trace_id, context.span_id, is_remote, TraceFlags(context.flags))
