"""What the engines are given: records of the contract's shape, and the codes that they earn.

Nothing is drawn at random, so that the expected outcome is a formula: it shares no line with the coder.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, NamedTuple

import orjson

from streams.processing.topology import InputKind

IMPROVEMENTS = (0, -6, -2, 4, 6, 8, 12, 16, 20, 26)
"""By how many points ten successive episodes get better; the first three do not."""

_NOT_IMPROVED = 3
_PAYERS = ("AETNA", "BCBS", "CIGNA", "UHC", "MEDICARE")
_TREATMENT_DAYS = ("2026-01-12", "2026-01-19", "2026-01-26")
_TREATMENT_CODES = ("97110", "97140", "97530")
_BASELINE_DAY, _FOLLOW_UP_DAY = "2026-01-05", "2026-03-02"
_OPEN_EVENTS = 1 + len(_TREATMENT_DAYS)
EVENTS_PER_EPISODE = _OPEN_EVENTS + 1


class Order(StrEnum):
    """How the events of one episode lie in the topics."""

    SPREAD = "spread"
    """A fifth of the stream apart: each finds an episode that was put away, as events of months do."""
    TOGETHER = "together"
    """Side by side, so that one step may take in a whole episode, as after a long outage."""


class Event(NamedTuple):
    """A record to be sent, keyed by its episode."""

    kind: InputKind
    episode_id: str
    value: bytes


@dataclass(frozen=True, slots=True)
class Workload:
    """Episodes of a baseline, three treatments and a follow-up.

    Attributes:
        episode_count: How many; episode *n* is the same in every workload.
        order: How the events of one episode lie.
        open_only: Without the follow-ups: every episode stays open.
        reader: Of an engine that has these topics for itself, the name.
    """

    episode_count: int
    order: Order = Order.SPREAD
    open_only: bool = False
    reader: str = ""

    @property
    def event_count(self) -> int:
        """How many records."""
        return self.episode_count * self._stage_count

    @property
    def code_count(self) -> int:
        """How many episodes earn G9603: seven of each ten, and of a rest all but the first three."""
        if self.open_only:
            return 0
        tens, rest = divmod(self.episode_count, len(IMPROVEMENTS))
        return (len(IMPROVEMENTS) - _NOT_IMPROVED) * tens + max(0, rest - _NOT_IMPROVED)

    @property
    def topic_prefix(self) -> str:
        """Stands before the names of its topics."""
        reader = f"{self.reader}-" if self.reader else ""
        return f"{'open' if self.open_only else self.order}-{self.episode_count}-{reader}"

    def coded_episodes(self) -> frozenset[str]:
        """The ids of the episodes that earn G9603."""
        if self.open_only:
            return frozenset()
        return frozenset(episode_id_of(n) for n in range(self.episode_count) if IMPROVEMENTS[n % len(IMPROVEMENTS)] > 0)

    def events(self) -> Iterator[Event]:
        """Every event, in the order in which they are sent."""
        stages = range(self._stage_count)
        gap = self.episode_count // self._stage_count if self.order is Order.SPREAD else 0
        for turn in range(self.episode_count + gap * stages[-1]):
            for stage in stages:
                number = turn - gap * stage
                if 0 <= number < self.episode_count:
                    yield _event(number, stage)

    def follow_ups(self, episode_count_max: int) -> Iterator[Event]:
        """The follow-ups of the first episodes, with which an open one ends."""
        for number in range(min(episode_count_max, self.episode_count)):
            yield _event(number, _OPEN_EVENTS)

    @property
    def _stage_count(self) -> int:
        return _OPEN_EVENTS if self.open_only else EVENTS_PER_EPISODE


def episode_id_of(number: int) -> str:
    """The id of episode *number*."""
    return f"EP-{number:09d}"


def _event(number: int, stage: int) -> Event:
    baseline_score = 30 + number % 41
    if stage == 0:
        return _survey(number, stage, _BASELINE_DAY, baseline_score)
    if stage < _OPEN_EVENTS:
        return _treatment(number, stage)
    follow_up_score = baseline_score - IMPROVEMENTS[number % len(IMPROVEMENTS)]
    return _survey(number, stage, _FOLLOW_UP_DAY, follow_up_score)


def _survey(number: int, stage: int, day: str, score: int) -> Event:
    told = {
        **_told(number, stage),
        "survey_id": f"S-{number:09d}-{stage}",
        "instrument": "odi",
        "score": score,
        "completed_at": _at(day, number),
    }
    return Event(InputKind.SURVEY, told["episode_id"], orjson.dumps(told))


def _treatment(number: int, stage: int) -> Event:
    told = {
        **_told(number, stage),
        "treatment_id": f"T-{number:09d}-{stage}",
        "code": _TREATMENT_CODES[stage - 1],
        "modifiers": ["GP"],
        "performed_at": _at(_TREATMENT_DAYS[stage - 1], number),
        "diagnoses": ["M54.50", "M54.16"],
    }
    return Event(InputKind.TREATMENT, told["episode_id"], orjson.dumps(told))


def _told(number: int, stage: int) -> dict[str, Any]:
    return {
        "event_id": f"{number:09x}-{stage}",
        "source": "ehr-east",
        "episode_id": episode_id_of(number),
        "patient_id": f"P-{number % 70_000:07d}",
        "encounter_id": f"ENC-{number:09d}-{stage}",
        "facility_id": f"FAC-{number % 20:02d}",
        "payer_id": _PAYERS[number % len(_PAYERS)],
        "rendering_npi": "1234567893",
        "place_of_service": "11",
    }


def _at(day: str, number: int) -> str:
    """A time of day that few share: what is the same everywhere could be remembered."""
    return f"{day}T{number // 3600 % 24:02d}:{number // 60 % 60:02d}:{number % 60:02d}-06:00"
