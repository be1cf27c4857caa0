"""What is read of a Kafka frame is what was written, however the bytes arrive; and what is none is refused."""

import asyncio

import pytest
from aiokafka.protocol.api import RequestHeader_v1
from aiokafka.protocol.metadata import MetadataRequest_v1
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.chaos.kafka_wire import (
    FRAME_BYTES_MAX,
    NoKafkaError,
    RequestHeader,
    correlation_id,
    encoded_request,
    framed,
    read_message,
    request_header,
)

law = settings(max_examples=100, deadline=None)
INT16 = st.integers(-(2**15), 2**15 - 1)
INT32 = st.integers(-(2**31), 2**31 - 1)
HEADERS = st.builds(RequestHeader, INT16, INT16, INT32, st.none() | st.text(max_size=40))


async def messages(chunks: list[bytes]) -> list[bytes]:
    """What is read of a stream that brings *chunks*."""
    stream = asyncio.StreamReader()

    async def bring() -> None:
        for chunk in chunks:
            stream.feed_data(chunk)
            await asyncio.sleep(0)
        stream.feed_eof()

    bringing = asyncio.create_task(bring())
    found = []
    while (message := await read_message(stream)) is not None:
        found.append(message)
    await bringing
    return found


@law
@given(HEADERS, st.binary(max_size=50))
def test_header_is_read_as_it_was_written(header: RequestHeader, body: bytes) -> None:
    assert request_header(encoded_request(header, body)) == header


def test_header_is_read_as_aiokafka_writes_it() -> None:
    """The law above holds for any layout that is its own inverse; only the library knows Kafka's."""
    request = MetadataRequest_v1(["topic"])
    written = RequestHeader_v1(request, correlation_id=9603, client_id="coder").encode() + request.encode()

    assert request_header(written) == RequestHeader(3, 1, 9603, "coder")


@law
@given(HEADERS, st.data())
def test_header_that_was_cut_short_is_none(header: RequestHeader, data: st.DataObject) -> None:
    whole = encoded_request(header)
    cut = whole[: data.draw(st.integers(0, len(whole) - 1))]

    with pytest.raises(NoKafkaError):
        request_header(cut)


@law
@given(INT32, st.binary(max_size=20))
def test_answer_says_what_it_answers(number: int, body: bytes) -> None:
    assert correlation_id(number.to_bytes(4, signed=True) + body) == number


@law
@given(st.binary(max_size=3))
def test_answer_that_was_cut_short_is_none(message: bytes) -> None:
    with pytest.raises(NoKafkaError):
        correlation_id(message)


@law
@given(st.lists(st.binary(max_size=30), max_size=8), st.data())
def test_messages_are_found_wherever_the_network_cuts(sent: list[bytes], data: st.DataObject) -> None:
    whole = b"".join(map(framed, sent))
    cuts = sorted(data.draw(st.lists(st.integers(0, len(whole)), max_size=10)))
    chunks = [whole[start:end] for start, end in zip([0, *cuts], [*cuts, len(whole)], strict=True)]

    assert asyncio.run(messages(chunks)) == sent


@law
@given(st.binary(min_size=1, max_size=30), st.data())
def test_stream_that_ends_in_a_message_is_no_end_of_messages(sent: bytes, data: st.DataObject) -> None:
    whole = framed(sent)
    cut = whole[: data.draw(st.integers(1, len(whole) - 1))]

    with pytest.raises(asyncio.IncompleteReadError):
        asyncio.run(messages([cut]))


@pytest.mark.parametrize("length", [-1, -(2**31), FRAME_BYTES_MAX + 1, int.from_bytes(b"GET ")])
def test_length_that_is_none(length: int) -> None:
    with pytest.raises(NoKafkaError, match="is none"):
        asyncio.run(messages([length.to_bytes(4, signed=True)]))
