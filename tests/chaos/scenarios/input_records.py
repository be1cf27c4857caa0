"""Records that nobody should have sent: broken, oversize, of another version, repeated, late, of a wrong time."""

from collections.abc import Callable, Mapping, Sequence
from random import Random
from typing import Any

import orjson

from streams.demo.health_system.wire import InputRecord
from streams.demo.source import DeliveredRecord
from tests.chaos.load import Partitioner
from tests.chaos.scenario import Scenario, sentence_of
from tests.chaos.trial import Trial

_DAYS = 24 * 3600.0
_LARGE_BYTES = 900_000
_REPETITIONS_MAX = 5

Change = Callable[[dict[str, Any], Random], Any]


def _cut(body: dict[str, Any], random: Random) -> bytes:
    value = orjson.dumps(body)
    return value[: random.randrange(len(value))]


def _flipped(body: dict[str, Any], random: Random) -> bytes:
    value = bytearray(orjson.dumps(body))
    value[random.randrange(len(value))] ^= 1 << random.randrange(8)
    return bytes(value)


POISON: Mapping[str, Change] = {
    "cut anywhere": _cut,
    "one bit flipped": _flipped,
    "nothing": lambda _body, _random: b"",
    "null": lambda _body, _random: b"null",
    "a number": lambda _body, random: str(random.random()).encode(),
    "an array": lambda body, _random: [body],
    "nested deeply": lambda _body, _random: b"[" * 5_000,
    "large": lambda body, _random: {**body, "note": "x" * _LARGE_BYTES},
    "of no encoding": lambda _body, random: random.randbytes(200),
    "without its episode": lambda body, _random: {**body, "episode_id": None},
    "an episode that is no text": lambda body, random: {**body, "episode_id": random.randrange(10)},
    "an empty episode": lambda body, _random: {**body, "episode_id": ""},
    "a score that is no number": lambda body, _random: {**body, "score": "NaN"},
    "an endless score": lambda body, _random: {**body, "score": 1e308},
}
"""What no reader can use, or just can."""

DRIFT: Mapping[str, Change] = {
    "a new field": lambda body, random: {**body, "triage_level": random.randrange(5)},
    "a new object": lambda body, _random: {**body, "extension": [{"url": "urn:x", "valueCode": "y"}]},
    "an optional field gone": lambda body, _random: {k: v for k, v in body.items() if k != "facility_id"},
    "a required field gone": lambda body, _random: {k: v for k, v in body.items() if k != "source"},
    "a renamed field": lambda body, _random: {("episodeId" if k == "episode_id" else k): v for k, v in body.items()},
    "a new enum value": lambda body, _random: {**body, "status": "preliminary"},
    "another type": lambda body, _random: {**body, "version": str(body.get("version", 1))},
    "a version as a float": lambda body, _random: {**body, "version": float(body.get("version", 1))},
}
"""What a producer sends that has moved on, or is behind."""


def _changed(trial: Trial, changes: Mapping[str, Change], share: float) -> list[DeliveredRecord]:
    """The load, with records in between that are copies of it under ids of their own, changed in some way."""
    sent: list[DeliveredRecord] = []
    for number, record in enumerate(trial.load):
        sent.append(record)
        if trial.random.random() < share and (body := _body(record)) is not None:
            body["event_id"] = f"drift-{number}"
            change = changes[trial.random.choice(sorted(changes))]
            value = change(body, trial.random)
            value = value if isinstance(value, bytes) else orjson.dumps(value)
            sent.append(InputRecord(record.topic, record.key, value, (), "garbage"))  # type: ignore[arg-type]
    return sent


def _body(record: DeliveredRecord) -> dict[str, Any] | None:
    try:
        body = orjson.loads(record.value)
    except orjson.JSONDecodeError:
        return None
    return body if isinstance(body, dict) and "event_id" in body else None


async def _under_kills(trial: Trial, parts: Sequence[Sequence[DeliveredRecord]], **how: Any) -> None:  # noqa: ANN401
    """Two workers; one is killed after each part."""
    for _ in range(2):
        trial.start()
    for part in parts:
        await trial.send(part, **how)
        await trial.until_begun()
        trial.kill(trial.random.choice(trial.workers))
        trial.start()


async def poison(trial: Trial) -> None:
    """A third of the input is broken in every way; each record costs only itself."""
    sent = _changed(trial, POISON, 0.5)
    await _under_kills(trial, [sent[: len(sent) // 2], sent[len(sent) // 2 :]])


async def schema_drift(trial: Trial) -> None:
    """Producers of other versions send along: what can be read is, and the rest is put aside with its reason."""
    sent = _changed(trial, DRIFT, 0.5)
    await _under_kills(trial, [sent[: len(sent) // 2], sent[len(sent) // 2 :]])


async def duplicates_and_shuffled(trial: Trial) -> None:
    """Every record one to five times, all of them shuffled, by producers that partition differently."""
    sent = [record for record in trial.load for _ in range(trial.random.randint(1, _REPETITIONS_MAX))]
    trial.random.shuffle(sent)
    await _under_kills(trial, [sent[: len(sent) // 2], sent[len(sent) // 2 :]])


async def another_partitioner(trial: Trial) -> None:
    """All by CRC32: three of four records arrive away from home, and travel."""
    await _under_kills(trial, trial.parts(2), partitioner=Partitioner.CRC32)


async def clocks_astray(trial: Trial) -> None:
    """The clocks of the senders are behind by up to two days, and not by the same."""
    await _under_kills(trial, trial.parts(2), skew_seconds_max=2 * _DAYS)


SCENARIOS = (
    Scenario("input-poison", sentence_of(poison), poison),
    Scenario("input-schema-drift", sentence_of(schema_drift), schema_drift),
    Scenario("input-duplicates-shuffled", sentence_of(duplicates_and_shuffled), duplicates_and_shuffled),
    Scenario("input-crc32", sentence_of(another_partitioner), another_partitioner),
    Scenario("input-clocks-astray", sentence_of(clocks_astray), clocks_astray),
)
