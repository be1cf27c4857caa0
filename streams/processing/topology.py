"""Each topic once: what it is called, what it carries, and how it must be made."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class InputKind(StrEnum):
    """What the records of an input topic tell."""

    SURVEY = "survey-completed"
    TREATMENT = "treatment-recorded"
    PATIENT_MERGE = "patient-merged"


RECORD_BYTES_MAX = 16 * 1024 * 1024
"""The largest record on a topic that we write: an input record with its added headers, a large episode."""

_BY_THE_BROKERS_CLOCK: Mapping[str, str] = {"message.timestamp.type": "LogAppendTime"}
"""A broker refuses timestamps that are an hour ahead, and a worker's own clock may be wrong."""
_OURS: Mapping[str, str] = {"max.message.bytes": str(RECORD_BYTES_MAX), **_BY_THE_BROKERS_CLOCK}
_COMPACTED: Mapping[str, str] = {
    **_OURS,
    "cleanup.policy": "compact",
    # A worker restores from the changelog: the less of it is stale, the sooner it is ready.
    "min.cleanable.dirty.ratio": "0.2",
}
KEPT: Mapping[str, str] = {"cleanup.policy": "delete", "retention.ms": "-1"}
"""A topic that others write to."""
_SHORT_LIVED: Mapping[str, str] = {
    **_OURS,
    "cleanup.policy": "delete",
    "retention.ms": str(60 * 60 * 1000),
    # What is older goes a segment at a time.
    "segment.ms": str(10 * 60 * 1000),
    **_BY_THE_BROKERS_CLOCK,
}
KEPT_OURS: Mapping[str, str] = {**KEPT, **_OURS}
"""A topic that we write to, and others read."""
_TICKS: Mapping[str, str] = {**KEPT, **_BY_THE_BROKERS_CLOCK}
"""Kept like the inputs, so that what is read again is decided at the same times; some thousand small records a year."""


@dataclass(frozen=True, slots=True)
class TopicSpecification:
    """A topic, and how it is created where it is missing."""

    name: str
    purpose: str
    config: Mapping[str, str]
    internal: bool = False
    """Its partitions belong to the stream tasks one to one."""
    partition_count: int | None = None
    """Where that is not a matter of load."""


@dataclass(frozen=True, slots=True)
class Topology:
    """The topics of one application.

    Attributes:
        app_id: Prefix of the internal topics, and the consumer group.
        topic_prefix: Prefix of the topics that others know.
    """

    app_id: str = "g9603"
    topic_prefix: str = ""

    @property
    def survey_completed(self) -> str:
        """In: surveys."""
        return f"{self.topic_prefix}{InputKind.SURVEY}"

    @property
    def treatment_recorded(self) -> str:
        """In: treatments."""
        return f"{self.topic_prefix}{InputKind.TREATMENT}"

    @property
    def patient_merged(self) -> str:
        """In: merges of patient ids."""
        return f"{self.topic_prefix}{InputKind.PATIENT_MERGE}"

    @property
    def coding_events(self) -> str:
        """Out: the billing topic."""
        return f"{self.topic_prefix}coding-events"

    @property
    def dead_letter(self) -> str:
        """Out: records that could not be taken in."""
        return f"{self.topic_prefix}dead-letter"

    @property
    def episodes_changelog(self) -> str:
        """Internal, compacted: the episodes, and the positions in the inputs."""
        return f"{self.topic_prefix}{self.app_id}-episodes-changelog"

    @property
    def episodes_rekey(self) -> str:
        """Internal: records that arrived away from home, on their way to their episode's partition."""
        return f"{self.topic_prefix}{self.app_id}-episodes-rekey"

    @property
    def ticks(self) -> str:
        """Internal: what time it is, as the brokers stamp it, beside the facts."""
        return f"{self.topic_prefix}{self.app_id}-ticks"

    @property
    def worker_reports(self) -> str:
        """Internal: what each worker tells the others of itself, so that each can show the whole group."""
        return f"{self.topic_prefix}{self.app_id}-worker-reports"

    @property
    def dead_letter_replays(self) -> str:
        """Internal, compacted: which dead letters were sent again. Made by whoever is the first to do so."""
        return f"{self.topic_prefix}{self.app_id}-dead-letter-replays"

    @property
    def kinds(self) -> Mapping[str, InputKind]:
        """The input topics, and what each tells."""
        return {
            self.survey_completed: InputKind.SURVEY,
            self.treatment_recorded: InputKind.TREATMENT,
            self.patient_merged: InputKind.PATIENT_MERGE,
        }

    @property
    def sources(self) -> tuple[str, ...]:
        """All topics that the tasks read."""
        return (*self.kinds, self.episodes_rekey, self.ticks)

    @property
    def in_step(self) -> tuple[str, ...]:
        """Those of them that are read in step with each other, by Kafka timestamp."""
        return (*self.kinds, self.ticks)

    @property
    def specifications(self) -> tuple[TopicSpecification, ...]:
        """Every topic, in the order of the flow."""
        return (
            TopicSpecification(self.survey_completed, "in: surveys", KEPT),
            TopicSpecification(self.treatment_recorded, "in: treatments", KEPT),
            TopicSpecification(self.patient_merged, "in: merges of patient ids", KEPT),
            TopicSpecification(self.episodes_rekey, "internal: records on their way home", KEPT_OURS, internal=True),
            TopicSpecification(self.episodes_changelog, "internal: the episodes", _COMPACTED, internal=True),
            TopicSpecification(self.ticks, "internal: what time it is", _TICKS, internal=True),
            TopicSpecification(self.coding_events, "out: the billing topic", KEPT_OURS),
            TopicSpecification(self.dead_letter, "out: what could not be read", KEPT_OURS),
            TopicSpecification(self.worker_reports, "internal: how the workers are", _SHORT_LIVED, partition_count=1),
        )
