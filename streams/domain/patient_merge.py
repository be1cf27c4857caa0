"""Which ids are one patient's: what registration has merged, as one answer for any order in which it was told.

Theory of operation. What is known is a set of merges, so neither order nor repetition of arrival matters. They are
taken in the order in which they happened. One that contradicts those before it is refused: its patient was merged into
somebody else already, or would become his own survivor. A merge that was wrong (HL7 v2 ADT^A37) cannot be undone by
rule, for what was told since under the surviving id may be about either. Both are for a person to look at, and change
nothing.
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
    concerns: tuple[tuple[PatientMerge, Concern], ...]
    """In the order in which they happened."""


NOBODY_MERGED: Mapping[str, str] = MappingProxyType({})


def patient_identities(merges: Iterable[PatientMerge]) -> PatientIdentities:
    """What *merges* come to; a function of the set."""
    into: dict[str, str] = {}
    concerns = []
    for merge in sorted(set(merges), key=_in_order):
        concern = _concern(merge, into)
        if concern is not None:
            concerns.append((merge, concern))
        else:
            into.setdefault(merge.merged_patient_id, merge.surviving_patient_id)
    return PatientIdentities({merged: _survivor(merged, into) for merged in into}, tuple(concerns))


def survivors_among(facts: Iterable[Fact], survivors: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    """Those of *survivors* that stand for a patient of *facts*, each behind the id that was told, in order."""
    if not survivors:
        return ()
    told = {fact.patient_id for fact in facts}
    return tuple(sorted((patient_id, survivors[patient_id]) for patient_id in told if patient_id in survivors))


def _in_order(merge: PatientMerge) -> tuple[int, str, str, str, str, str]:
    # What happened at one instant has no order of its own: any fixed one will do.
    return (
        merge.merged_at.epoch_us,
        merge.merged_patient_id,
        merge.surviving_patient_id,
        merge.action,
        merge.source,
        merge.event_id,
    )


def _concern(merge: PatientMerge, into: Mapping[str, str]) -> Concern | None:
    if merge.action is PatientMergeAction.UNMERGE:
        return Concern.UNMERGED
    merged, survivor = merge.merged_patient_id, _survivor(merge.surviving_patient_id, into)
    if merged not in into:
        return Concern.CYCLE if survivor == merged else None
    return None if _survivor(merged, into) == survivor else Concern.MERGED_ELSEWHERE


def _survivor(patient_id: str, into: Mapping[str, str]) -> str:
    while patient_id in into:
        patient_id = into[patient_id]
    return patient_id
