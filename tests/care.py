"""The smallest episode of care that earns a code: a baseline, a treatment, a better follow-up."""

from collections.abc import Iterator
from decimal import Decimal
from itertools import count
from typing import NamedTuple

from schemas.vocabulary import RecordStatus, TreatmentCodeSystem
from streams.domain.fact import Survey, Treatment
from streams.domain.instant import US_PER_DAY, Instant
from streams.processing.partitioning import home_partition
from streams.processing.topology import InputKind
from tests.messages import message_bytes

_DAY_ZERO_US = 1_736_942_400_000_000
"""Noon of 15 January 2025 in UTC."""


class Message(NamedTuple):
    """What a producer sends: the episode that it is about, the kind of input, and the JSON."""

    episode_id: str
    kind: InputKind
    value: bytes


def baseline(episode_id: str) -> Message:
    """The survey before: 6 of 10 in pain."""
    return _survey(episode_id, "baseline", day=-1, score="6")


def treatment(episode_id: str, *, version: int = 1, status: RecordStatus = RecordStatus.COMPLETED) -> Message:
    """The treatment between the two surveys."""
    fact = Treatment(
        source="ehr",
        event_id=f"{episode_id}-treatment-{version}",
        treatment_id=f"{episode_id}-treatment",
        version=version,
        status=status,
        patient_id=f"{episode_id}-patient",
        code="97110",
        code_system=TreatmentCodeSystem.HCPCS,
        performed_at=Instant(_DAY_ZERO_US, 0),
    )
    return Message(episode_id, InputKind.TREATMENT, message_bytes(fact, episode_id))


def follow_up(episode_id: str, *, version: int = 1, score: str = "2") -> Message:
    """The survey after; corrections of it have a greater version."""
    return _survey(episode_id, "follow-up", day=30, score=score, version=version)


def care(episode_id: str) -> list[Message]:
    """All three: enough for G9603."""
    return [baseline(episode_id), treatment(episode_id), follow_up(episode_id)]


def episodes_at_home_in(partition: int, *, task_count: int) -> Iterator[str]:
    """Ids of episodes whose home is *partition* of *task_count*."""
    return (f"E{n}" for n in count(1) if home_partition(f"E{n}", task_count) == partition)


def _survey(episode_id: str, name: str, *, day: int, score: str, version: int = 1) -> Message:
    fact = Survey(
        source="tablet",
        event_id=f"{episode_id}-{name}-{version}",
        survey_id=f"{episode_id}-{name}",
        version=version,
        status=RecordStatus.COMPLETED if version == 1 else RecordStatus.AMENDED,
        patient_id=f"{episode_id}-patient",
        instrument="nprs",
        instrument_version=None,
        score=Decimal(score),
        completed_at=Instant(_DAY_ZERO_US + day * US_PER_DAY, 0),
    )
    return Message(episode_id, InputKind.SURVEY, message_bytes(fact, episode_id))
