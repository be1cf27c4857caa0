"""The topics of an adapter: what other systems say in their own words, and what of it could not be understood."""

from dataclasses import dataclass
from enum import StrEnum

from streams.processing.topology import KEPT, KEPT_OURS, TopicSpecification, Topology


class MessageStandard(StrEnum):
    """In whose words a message is."""

    FHIR = "fhir"
    HL7V2 = "hl7v2"


_MESSAGES = {MessageStandard.FHIR: "fhir-resources", MessageStandard.HL7V2: "hl7v2-messages"}


@dataclass(frozen=True, slots=True)
class AdapterTopics:
    """Of one adapter beside an application. No worker needs them.

    Attributes:
        standard: What it reads.
        topology: The application, whose inputs it writes.
    """

    standard: MessageStandard
    topology: Topology

    @property
    def messages(self) -> str:
        """In: what other systems send."""
        return f"{self.topology.topic_prefix}{_MESSAGES[self.standard]}"

    @property
    def dead_letter(self) -> str:
        """Out: messages of which something could not be taken in, as they were received."""
        return f"{self.messages}-dead-letter"

    @property
    def group_id(self) -> str:
        """The consumer group; its transactional ids begin with it and a dash."""
        return f"{self.topology.app_id}-{self.standard}-adapter"

    @property
    def specifications(self) -> tuple[TopicSpecification, ...]:
        """How they are made."""
        return (
            TopicSpecification(self.messages, f"in: {self.standard} messages", KEPT),
            TopicSpecification(self.dead_letter, "out: messages that could not be taken in", KEPT_OURS),
        )
