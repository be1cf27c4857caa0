"""When the bus delivers what happened: mostly within hours, sometimes weeks late and in the wrong order."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from random import Random
from typing import Literal, TypeAlias

from streams.demo.health_system.chance import drawn
from streams.demo.health_system.facts import Fact, Treatment
from streams.demo.health_system.patient_journey import Journey

RecordKind: TypeAlias = Literal["survey", "treatment", "correction", "void", "late", "duplicate", "garbage"]

STRAGGLER_SHARE = 0.03
STRAGGLER_DAYS = range(10, 71)
DUPLICATE_SHARE = 0.05
DUPLICATE_COPIES = range(1, 5)
MUCH_LATER_SHARE = 0.3
MUCH_LATER_DAYS = range(20, 121)


class Punctuality(StrEnum):
    """How an episode's facts come to the bus."""

    PROMPT = "each within hours"
    CHARGES_LAST = "treatments only when the charges are dropped, after the follow-up"
    PAPER = "surveys typed in from paper at the end, the newest first"
    ONE_UPLOAD = "all at once, shuffled"


PUNCTUALITY_SHARES = {
    Punctuality.PROMPT: 76,
    Punctuality.CHARGES_LAST: 12,
    Punctuality.PAPER: 7,
    Punctuality.ONE_UPLOAD: 5,
}


@dataclass(frozen=True, slots=True)
class Sending:
    """A fact on its way: why it is sent, and when."""

    fact: Fact
    kind: RecordKind
    sent_at: datetime


def deliver_promptly(journey: Journey) -> list[Sending]:
    """Send every fact an hour after it happened."""
    return [_in_time(fact, timedelta(hours=1)) for fact in journey.facts]


def deliver(journey: Journey, rng: Random) -> list[Sending]:
    """Send every fact once, as punctually as its clinic is."""
    closing = max(fact.happened_at for fact in journey.facts) + timedelta(days=rng.randint(1, 10))
    match drawn(PUNCTUALITY_SHARES, rng):
        case Punctuality.PROMPT:
            belated: tuple[Fact, ...] = ()
        case Punctuality.CHARGES_LAST:
            belated = journey.treatments
        case Punctuality.PAPER:
            belated = (journey.baselines + journey.follow_ups)[::-1]
        case Punctuality.ONE_UPLOAD:
            belated = tuple(rng.sample(journey.facts, len(journey.facts)))
    return [
        *(_as_it_happens(fact, rng) for fact in journey.facts if fact not in belated),
        *(Sending(fact, "late", closing + timedelta(minutes=2 * turn)) for turn, fact in enumerate(belated)),
    ]


def resendings(sending: Sending, rng: Random) -> Iterator[datetime]:
    """Say when the bus sends it again: most often never, else one to four times, soon or much later."""
    if rng.random() >= DUPLICATE_SHARE:
        return
    for _ in range(rng.choice(DUPLICATE_COPIES)):
        much_later = rng.random() < MUCH_LATER_SHARE
        yield sending.sent_at + (
            timedelta(days=rng.choice(MUCH_LATER_DAYS)) if much_later else timedelta(minutes=rng.randint(1, 240))
        )


def _as_it_happens(fact: Fact, rng: Random) -> Sending:
    sending = _in_time(fact, timedelta(minutes=rng.randint(1, 600)))
    if rng.random() >= STRAGGLER_SHARE:
        return sending
    return replace(sending, kind="late", sent_at=sending.sent_at + timedelta(days=rng.choice(STRAGGLER_DAYS)))


def _in_time(fact: Fact, delay: timedelta) -> Sending:
    kind: RecordKind = "treatment" if isinstance(fact, Treatment) else "survey"
    return Sending(fact, kind, fact.happened_at + delay)
