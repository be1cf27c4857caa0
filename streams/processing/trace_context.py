"""A record's place in a trace: W3C Trace Context (https://www.w3.org/TR/trace-context/), version 00.

A coding event continues the trace of the record that caused it. Its span id is taken from its event id, which is a name
for what it says: a step that is done again after a crash tells the same span.
"""

import re
from collections.abc import Iterable
from typing import NamedTuple

TRACEPARENT = "traceparent"
_TRACEPARENT = re.compile(rb"00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})")
_SAMPLED = 0x01
_SPAN_HEX_DIGITS = 16


class TraceContext(NamedTuple):
    """A span as its children know it."""

    trace_id: int
    span_id: int
    flags: int

    @property
    def is_sampled(self) -> bool:
        """Whether somebody records the trace."""
        return bool(self.flags & _SAMPLED)

    @property
    def header(self) -> bytes:
        """The value of the header ``traceparent``."""
        return b"00-%032x-%016x-%02x" % self


def trace_context(headers: Iterable[tuple[str, bytes]]) -> TraceContext | None:
    """The context in *headers*; None where there is none, or none that is valid."""
    for name, value in headers:
        if name == TRACEPARENT:
            return _parsed(value)
    return None


def _parsed(value: bytes) -> TraceContext | None:
    match = _TRACEPARENT.fullmatch(value)
    if match is None:
        return None
    context = TraceContext(*(int(part, 16) for part in match.groups()))
    return context if context.trace_id and context.span_id else None


def coding_span(cause: TraceContext, event_id: str) -> TraceContext:
    """The span of the coding event *event_id*, a child of *cause*."""
    return TraceContext(cause.trace_id, int(event_id.replace("-", "")[:_SPAN_HEX_DIGITS], 16), cause.flags)
