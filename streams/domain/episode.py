"""An episode of care: the set of facts known about it, whatever way they came.

Theory of operation. An episode is a *join-semilattice*: taking a fact in is a set union, with the
greater of two contents where one transport event was sent with both. Union does not care for order,
repetition or grouping, so neither does anything that is computed from it. Nothing is thrown away when
a correction comes: a superseded version still tells that its event was seen, and explains what billing
was told before.
"""

from collections.abc import Iterable
from typing import NamedTuple

import msgspec

from schemas.vocabulary import RecordStatus
from streams.domain.fact import Fact, Survey, Treatment, precedence


class Arrival(NamedTuple):
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
        by_event: dict[tuple[str, str], Fact] = {(fact.source, fact.event_id): fact for fact in self.facts}
        contested = set(self.contested)
        newest_timestamp_ms = self.newest_timestamp_ms
        changed = False
        for fact, timestamp_ms in arrivals:
            newest_timestamp_ms = max(newest_timestamp_ms, timestamp_ms)
            event = (fact.source, fact.event_id)
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


class CurrentFacts(NamedTuple):
    """The version that counts of every survey and treatment; each list by time, then by id."""

    surveys: list[Survey]
    treatments: list[Treatment]

    @property
    def standing_treatments(self) -> list[Treatment]:
        """Those that were not entered in error."""
        return [t for t in self.treatments if t.status is not RecordStatus.ENTERED_IN_ERROR]


def current_facts(facts: Iterable[Fact]) -> CurrentFacts:
    """The highest version of each survey and treatment among *facts*."""
    surveys: dict[str, Survey] = {}
    treatments: dict[str, Treatment] = {}
    for fact in facts:
        if isinstance(fact, Survey):
            survey = surveys.get(fact.survey_id)
            surveys[fact.survey_id] = fact if survey is None else max(survey, fact, key=precedence)
        else:
            treatment = treatments.get(fact.treatment_id)
            treatments[fact.treatment_id] = fact if treatment is None else max(treatment, fact, key=precedence)
    return CurrentFacts(
        sorted(surveys.values(), key=lambda s: (s.completed_at.epoch_us, s.survey_id)),
        sorted(treatments.values(), key=lambda t: (t.performed_at.epoch_us, t.treatment_id)),
    )
