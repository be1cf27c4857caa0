"""Sends surveys, treatments and merges to the input topics, and refuses what no worker would take in."""

import asyncio
from collections import Counter
from collections.abc import Mapping
from types import TracebackType
from typing import Any, NamedTuple, Self

import aiokafka.errors as kafka_errors
import orjson
from aiokafka import AIOKafkaProducer

from streams.intake.decoder import Decoder
from streams.intake.rejection import RejectedError
from streams.kafka.broker_access import ensure_access, unreachable
from streams.kafka.connection import client_options
from streams.processing.topology import InputKind, Topology

_UNCONFIRMED_MAX = 10_000


class Refusal(NamedTuple):
    """A line that was not sent, and why; the detail shows no values."""

    source: str
    line: int
    reason: str
    detail: str


class EventSender:
    """An idempotent producer of input events, keyed by episode or patient.

    Args:
        connection: Options of an aiokafka client.
        topology: The topics.
        decoder: Reads events as a worker would.
    """

    def __init__(self, connection: Mapping[str, Any], topology: Topology, decoder: Decoder) -> None:
        self._connection = connection
        self._topics = {kind: topic for topic, kind in topology.kinds.items()}
        self._decoder = decoder
        self._sent: Counter[str] = Counter()
        self._unconfirmed: set[asyncio.Future[Any]] = set()

    async def __aenter__(self) -> Self:
        """Connect.

        Raises:
            BrokerUnreachableError: No broker answers.
            AccessDeniedError: One does not let us in; `ensure_access` has more.
        """
        await ensure_access(self._connection)
        self._producer = AIOKafkaProducer(
            **client_options(self._connection), enable_idempotence=True, linger_ms=20, max_batch_size=256 * 1024
        )
        try:
            await self._producer.start()
        except kafka_errors.KafkaError as error:
            await self._producer.stop()
            raise unreachable(str(self._connection["bootstrap_servers"])) from error
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Disconnect."""
        await self._producer.stop()

    async def send(self, value: bytes, *, source: str, line: int) -> Refusal | None:
        """Send one event, or say why not.

        Raises:
            KafkaError: The broker did not take an earlier event.
        """
        value = value.strip()
        try:
            kind = _kind_of(value)
            key = self._key(kind, value)
        except RejectedError as rejected:
            return Refusal(source, line, str(rejected.reason), rejected.detail)
        except ValueError as fault:
            return Refusal(source, line, "not_an_event", str(fault))
        future = await self._producer.send(self._topics[kind], value=value, key=key.encode())
        self._unconfirmed.add(future)
        self._sent[kind.value] += 1
        if len(self._unconfirmed) >= _UNCONFIRMED_MAX:
            await self._confirm()
        return None

    def _key(self, kind: InputKind, value: bytes) -> str:
        """What an event is keyed by: its episode, or the patient who survives."""
        match kind:
            case InputKind.SURVEY:
                return self._decoder.decode_survey(value).episode_id
            case InputKind.TREATMENT:
                return self._decoder.decode_treatment(value).episode_id
            case InputKind.PATIENT_MERGE:
                return self._decoder.decode_merge(value).surviving_patient_id

    async def flush(self) -> Counter[str]:
        """Wait until the brokers have everything; how many events of each kind were sent."""
        await self._confirm()
        return self._sent

    async def _confirm(self) -> None:
        await asyncio.gather(*self._unconfirmed)
        self._unconfirmed.clear()


def _kind_of(value: bytes) -> InputKind:
    try:
        event = orjson.loads(value)
    except orjson.JSONDecodeError as error:
        message = f"no JSON: {error.msg} at column {error.colno}"
        raise ValueError(message) from None
    if isinstance(event, dict) and "survey_id" in event:
        return InputKind.SURVEY
    if isinstance(event, dict) and "treatment_id" in event:
        return InputKind.TREATMENT
    if isinstance(event, dict) and "merged_patient_id" in event:
        return InputKind.PATIENT_MERGE
    message = "no survey (survey_id), treatment (treatment_id) or merge (merged_patient_id)"
    raise ValueError(message)
