"""Merges of patient ids, and whether the workers had taken them in: they matter to episodes anywhere."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from aiokafka import TopicPartition

from streams.domain.patient_merge import PatientMerge, patient_identities
from streams.intake.decoder import Decoder
from streams.intake.rejection import RejectedError
from streams.processing.records import InputRecord
from streams.recount.standing import GroupPositions, Standing


class ToldMerge(NamedTuple):
    """A merge, and its standing."""

    standing: Standing
    merge: PatientMerge


def told_merges(
    records: Iterable[InputRecord], decoder: Decoder, positions: GroupPositions | None
) -> tuple[ToldMerge, ...]:
    """The merges in *records*; those that cannot be read are none.

    Args:
        records: Of the topic of merges.
        decoder: Reads them.
        positions: How far the workers had come; None where they have read everything.
    """
    told = []
    for record in records:
        try:
            merge = decoder.decode_merge(record.value, record.headers)
        except RejectedError:
            continue
        partition = TopicPartition(record.topic, record.partition)
        standing = Standing.TAKEN_IN if positions is None else positions.standing(partition, record.offset)
        told.append(ToldMerge(standing, merge))
    return tuple(told)


def survivors_of(merges: Iterable[ToldMerge], *, only_taken_in: bool) -> Mapping[str, str]:
    """By the id of a patient who was merged into another: that one."""
    told = (one.merge for one in merges if one.standing is Standing.TAKEN_IN or not only_taken_in)
    return patient_identities(told).survivors
