"""What also comes over a bus: records that no reader can use, each broken in one way.

Every one is a record the clinic could have sent, spoiled on its way; its id is its own, so that it
takes nothing from the sound record beside it.
"""

from collections.abc import Callable
from itertools import cycle
from random import Random
from typing import TypeAlias

import orjson

from streams.demo.health_system.facts import Fact, Survey
from streams.demo.health_system.wire import Body, InputRecord, addressed, record_key, write_body

Spoiler: TypeAlias = Callable[[Body, Random], bytes]

HUGE_ID_LENGTH = 15_000
NOISE_BYTES = 256


def _changed(**fields: object) -> Spoiler:
    return lambda body, _rng: orjson.dumps({**body, **fields})


def _without(name: str) -> Spoiler:
    return lambda body, _rng: orjson.dumps({field: value for field, value in body.items() if field != name})


def _naive(field: str) -> Spoiler:
    return lambda body, _rng: orjson.dumps({**body, field: str(body[field])[: len("2026-01-05T09:00:00")]})


SPOILERS: dict[str, Spoiler] = {
    "cut off": lambda body, _rng: orjson.dumps(body)[:-9],
    "not JSON": lambda body, _rng: f"{body['event_id']}|{body['patient_id']}|ORU^R01".encode(),
    "not an object": lambda body, _rng: orjson.dumps([body]),
    "binary noise": lambda _body, rng: b"\x80" + rng.randbytes(NOISE_BYTES),
    "Latin-1": lambda body, _rng: orjson.dumps({**body, "facility_id": "clínica"}).decode().encode("latin-1"),
    "empty": lambda _body, _rng: b"",
    "huge id": _changed(event_id="EV-" + "9" * HUGE_ID_LENGTH),
    "no episode": _without("episode_id"),
    "version 0": _changed(version=0),
    "unknown status": _changed(status="in-progress"),
}
SURVEY_SPOILERS: dict[str, Spoiler] = {
    "naive time": _naive("completed_at"),
    "no time": _without("completed_at"),
    "unknown instrument": _changed(instrument="smile_scale"),
    "score out of range": _changed(instrument="odi", score=148, answers=None),
    "score in words": _changed(score="moderate", answers=None),
    "no result": _changed(score=None, answers=None),
    "one answer short": _changed(instrument="phq9", score=None, answers=[1] * 8),
    "answers where no item rule is published": _changed(instrument="koos_jr", score=None, answers=[1] * 7),
    "answer off the scale": _changed(instrument="gad7", score=None, answers=[3, 3, 3, 9, 3, 3, 3]),
    "score is not what the answers say": _changed(instrument="phq9", score=20, answers=[1] * 9),
}
TREATMENT_SPOILERS: dict[str, Spoiler] = {
    "naive time": _naive("performed_at"),
    "no code": _without("code"),
    "unknown code system": _changed(code_system="local"),
    "three-letter modifier": _changed(modifiers=["GPX"]),
}


class Spoiling:
    """Spoils records, in all ways in turn, so that a year of some size has each of them.

    Args:
        rng: where noise comes from.
    """

    def __init__(self, rng: Random) -> None:
        self._rng = rng
        self._for_surveys = cycle((SPOILERS | SURVEY_SPOILERS).values())
        self._for_treatments = cycle((SPOILERS | TREATMENT_SPOILERS).values())

    def spoil(self, fact: Fact, event_id: str) -> InputRecord:
        """Write a fact as a record that is of no use, under an id that nothing else has."""
        spoiler = next(self._for_surveys if isinstance(fact, Survey) else self._for_treatments)
        value = spoiler(write_body(fact, event_id), self._rng)
        return InputRecord(addressed(fact)[0], record_key(fact), value, (), "garbage")
