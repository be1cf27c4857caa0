"""Which ids are one patient's: what registration has merged, as one answer for any order in which it was told.

Theory of operation. What is known is a set of records, so neither order nor repetition of arrival matters. They are
taken in the order in which they happened. A merge that contradicts those before it is refused: its patient was merged
into somebody else already, or would become his own survivor. A merge that is said to be wrong (HL7 v2 ADT^A37) is not
undone by rule, for what was told since under the surviving id may be about either. Both change nothing and concern a
person, who settles the two ids by one more record: that they are one (``merge``), or two (``separate``).
"""

from collections.abc import Iterable, Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import NamedTuple

import msgspec

from schemas.vocabulary import PatientMergeAction
from streams.domain.fact import Fact
from streams.domain.instant import Instant


class PatientMerge(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Two ids turned out to be one patient's (HL7 v2 ADT^A40), or turned out not to be (A37)."""

    source: str
    event_id: str
    surviving_patient_id: str
    merged_patient_id: str
    merged_at: Instant
    action: PatientMergeAction = PatientMergeAction.MERGE


class Concern(StrEnum):
    """Why a person must look at a merge."""

    UNMERGED = "unmerged"
    MERGED_ELSEWHERE = "merged_elsewhere"
    """Its patient was merged into another before."""
    CYCLE = "cycle"
    """Its survivor was merged into its patient before."""


class PatientIdentities(NamedTuple):
    """Who survives for whom, and what could not be settled."""

    survivors: Mapping[str, str]
    """By merged id; what the survivor was merged into is followed to its end."""
    links: Mapping[str, str]
    """By merged id: what it was merged into itself."""
    concerns: tuple[tuple[PatientMerge, Concern], ...]
    """In the order in which they happened."""


NOBODY_MERGED: Mapping[str, str] = MappingProxyType({})


def patient_identities(merges: Iterable[PatientMerge]) -> PatientIdentities:
    """What *merges* come to; a function of the set."""
    told = _Told()
    for merge in sorted(set(merges), key=_in_order):
        told.take(merge)
    survivors = {merged: told.survivor(merged) for merged in told.links}
    concerns = [concern for of_two in told.concerns.values() for concern in of_two]
    return PatientIdentities(survivors, told.links, tuple(sorted(concerns, key=lambda one: _in_order(one[0]))))


class _Told:
    """What has happened up to some moment."""

    def __init__(self) -> None:
        self.links: dict[str, str] = {}
        self.concerns: dict[frozenset[str], list[tuple[PatientMerge, Concern]]] = {}
        """By the two patients; one more record about them settles all."""
        self._above: dict[str, str] = {}
        """The links, in part followed further: so that a long chain is not followed at each question."""

    def take(self, merge: PatientMerge) -> None:
        merged, surviving = merge.merged_patient_id, merge.surviving_patient_id
        both, concern = frozenset({merged, surviving}), self._concern(merge)
        if concern is not None:
            self.concerns.setdefault(both, []).append((merge, concern))
            return
        self.concerns.pop(both, None)
        if merge.action is PatientMergeAction.SEPARATE:
            self._unlink(merged, surviving)
            self._unlink(surviving, merged)
        elif merged not in self.links:
            self.links[merged] = self._above[merged] = surviving

    def _unlink(self, merged: str, surviving: str) -> None:
        if self.links.get(merged) == surviving:
            del self.links[merged]
            self._above = dict(self.links)

    def survivor(self, patient_id: str) -> str:
        above, survivor = self._above, patient_id
        while survivor in above:
            survivor = above[survivor]
        while patient_id != survivor:
            above[patient_id], patient_id = survivor, above[patient_id]
        return survivor

    def _concern(self, merge: PatientMerge) -> Concern | None:
        if merge.action is not PatientMergeAction.MERGE:
            return Concern.UNMERGED if merge.action is PatientMergeAction.UNMERGE else None
        merged, survivor = merge.merged_patient_id, self.survivor(merge.surviving_patient_id)
        if merged not in self.links:
            return Concern.CYCLE if survivor == merged else None
        return None if self.survivor(merged) == survivor else Concern.MERGED_ELSEWHERE


def survivors_among(facts: Iterable[Fact], survivors: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    """Those of *survivors* that stand for a patient of *facts*, each behind the id that was told, in order."""
    if not survivors:
        return ()
    told = {fact.patient_id for fact in facts}
    return tuple(sorted((patient_id, survivors[patient_id]) for patient_id in told if patient_id in survivors))


def _in_order(merge: PatientMerge) -> tuple[int, int, str, str, str, str]:
    # Of what happened at one instant a person's word is the last; any fixed order will do for the rest.
    return (
        merge.merged_at.epoch_us,
        _ACTIONS.index(merge.action),
        merge.merged_patient_id,
        merge.surviving_patient_id,
        merge.source,
        merge.event_id,
    )


_ACTIONS = tuple(PatientMergeAction)
