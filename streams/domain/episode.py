"""An episode of care: the set of facts known about it, whatever way they came.

Theory of operation. An episode is a *join-semilattice*: taking a fact in is a set union, with the
greater of two contents where one transport event was sent with both. Union does not care for order,
repetition or grouping, so neither does anything that is computed from it. Nothing is thrown away when
a correction comes: a superseded version still tells that its event was seen, and explains what billing
was told before.
"""

from collections.abc import Callable, Iterable
from operator import attrgetter
from typing import NamedTuple

import msgspec

from schemas.vocabulary import RecordStatus
from streams.domain.fact import Fact, Survey, Treatment, precedence

transport_event: Callable[[Fact], tuple[str, str]] = attrgetter("source", "event_id")
"""What names the transport event that brought a fact: seen twice, it counts once."""


class Arrival(msgspec.Struct, frozen=True, gc=False):
    """A fact, and the Kafka timestamp in milliseconds of the record that brought it."""

    fact: Fact
    timestamp_ms: int


class Episode(msgspec.Struct, frozen=True, array_like=True):
    """The facts of one episode, ordered by ``(source, event_id)``.

    Attributes:
        facts: One per transport event.
        newest_timestamp_ms: The newest Kafka timestamp among the records that brought them.
        contested: Transport events that came with two contents: a fault of their sender, to be reported.
    """

    facts: tuple[Fact, ...] = ()
    newest_timestamp_ms: int = 0
    contested: tuple[tuple[str, str], ...] = ()

    def with_arrivals(self, arrivals: Iterable[Arrival]) -> "Episode":
        """This episode with *arrivals* taken in; itself where they say nothing new."""
        by_event: dict[tuple[str, str], Fact] = {transport_event(fact): fact for fact in self.facts}
        contested = set(self.contested)
        newest_timestamp_ms = self.newest_timestamp_ms
        changed = False
        for arrival in arrivals:
            fact = arrival.fact
            newest_timestamp_ms = max(newest_timestamp_ms, arrival.timestamp_ms)
            event = transport_event(fact)
            known = by_event.get(event)
            if known is None:
                by_event[event], changed = fact, True
            elif known != fact:
                changed = changed or event not in contested or _outranks(fact, known)
                contested.add(event)
                by_event[event] = fact if _outranks(fact, known) else known
        if not changed and newest_timestamp_ms == self.newest_timestamp_ms:
            return self
        facts = tuple(by_event[event] for event in sorted(by_event)) if changed else self.facts
        return Episode(facts, newest_timestamp_ms, tuple(sorted(contested)))


def _outranks(fact: Fact, known: Fact) -> bool:
    """Which of two contents of one transport event counts."""
    # A survey and a treatment under one event id have no versions to compare: any fixed order will do.
    if type(fact) is not type(known):
        return isinstance(fact, Treatment)
    return precedence(fact) > precedence(known)


_ENTERED_IN_ERROR = RecordStatus.ENTERED_IN_ERROR  # looked up once: finding a member costs more than comparing it
_by_completion = attrgetter("completed_at.epoch_us", "survey_id")
_by_performance = attrgetter("performed_at.epoch_us", "treatment_id")


class CurrentFacts(NamedTuple):
    """The version that counts of every survey and treatment; each list by time, then by id."""

    surveys: list[Survey]
    treatments: list[Treatment]
    standing_treatments: list[Treatment]
    """The treatments that were not entered in error."""


def current_facts(facts: Iterable[Fact]) -> CurrentFacts:
    """The highest version of each survey and treatment among *facts*."""
    surveys: dict[str, Survey] = {}
    treatments: dict[str, Treatment] = {}
    for fact in facts:
        if isinstance(fact, Survey):
            survey = surveys.setdefault(fact.survey_id, fact)
            if survey is not fact:
                surveys[fact.survey_id] = max(survey, fact, key=precedence)
        else:
            treatment = treatments.setdefault(fact.treatment_id, fact)
            if treatment is not fact:
                treatments[fact.treatment_id] = max(treatment, fact, key=precedence)
    in_order = sorted(treatments.values(), key=_by_performance)
    standing = [t for t in in_order if t.status is not _ENTERED_IN_ERROR]
    return CurrentFacts(sorted(surveys.values(), key=_by_completion), in_order, standing)
