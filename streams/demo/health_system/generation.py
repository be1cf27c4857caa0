"""One year of a health system, as the records that its systems would put on the bus.

Pure: the same seed and size give the same bytes, on any machine, at any time.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from random import Random
from typing import TypeAlias

from streams.demo.health_system.admission import admit
from streams.demo.health_system.corrections import correct
from streams.demo.health_system.delivery import Sending, deliver, deliver_promptly, resendings
from streams.demo.health_system.garbage import Spoiling
from streams.demo.health_system.identifiers import Numbering
from streams.demo.health_system.low_back_pain import tell_low_back_pain
from streams.demo.health_system.patient_journey import Course, Journey, tell_journey
from streams.demo.health_system.wire import InputRecord, write_record

GARBAGE_EVERY = 60

Delivery: TypeAlias = tuple[datetime, InputRecord]


@dataclass(frozen=True, slots=True)
class HealthSystem:
    """What a health system sent, and what it was about."""

    records: list[InputRecord]
    """In order of delivery."""
    first_episode_id: str
    """The patient with low back pain (:mod:`streams.demo.health_system.low_back_pain`)."""
    courses: dict[str, Course]
    """How each episode goes before any correction, by episode id."""


def generate(seed: int, episodes: int, *, numbers_taken: int = 0) -> HealthSystem:
    """Generate a year.

    Args:
        seed: names the year: another seed, other patients.
        episodes: how many episodes of care, at least one: the first is always the same.
        numbers_taken: so many numbers of ids are another's, who has a part of the same year.

    Raises:
        ValueError: no episode is asked for.
    """
    if episodes < 1:
        message = f"A health system has at least one episode of care: ask for 1 or more, not {episodes}."
        raise ValueError(message)
    rng = Random(seed)  # noqa: S311 - patients are to be repeatable, not unguessable
    numbering = Numbering(numbers_taken)
    first = tell_low_back_pain(numbering)
    others = [tell_journey(patient, rng) for patient in admit(episodes - 1, rng, numbering)]
    deliveries = [
        *((sending.sent_at, _written(sending, numbering)) for sending in deliver_promptly(first)),
        *_deliveries(_sendings(others, rng), rng, numbering),
    ]
    deliveries.sort(key=lambda delivery: delivery[0])
    return HealthSystem(
        records=[record for _, record in deliveries],
        first_episode_id=first.episode_id,
        courses={journey.episode_id: journey.course for journey in (first, *others)},
    )


def _sendings(journeys: list[Journey], rng: Random) -> Iterator[Sending]:
    for journey in journeys:
        delivered = deliver(journey, rng)
        yield from delivered
        yield from correct(journey, delivered, rng)


def _deliveries(sendings: Iterator[Sending], rng: Random, numbering: Numbering) -> Iterator[Delivery]:
    """Put each sending on the bus, with the duplicates it gets and the garbage that comes along."""
    spoiling = Spoiling(rng)
    for position, sending in enumerate(sendings, start=1):
        record = _written(sending, numbering)
        yield sending.sent_at, record
        for resent_at in resendings(sending, rng):
            yield resent_at, replace(record, kind="duplicate")
        if position % GARBAGE_EVERY == 0:
            yield sending.sent_at, spoiling.spoil(sending.fact, numbering.next_id("EV"))


def _written(sending: Sending, numbering: Numbering) -> InputRecord:
    return write_record(sending, numbering.next_id("EV"))
