"""Who may do what: the least rights that each role needs, by the topology. Everything else may be denied.

Kafka's rules behind the choice (https://kafka.apache.org/documentation/#operations_resources_and_protocols): READ and
WRITE of a topic, READ of a group and WRITE of a transactional id include DESCRIBE; an idempotent producer needs no more
than WRITE of some topic.
"""

from enum import StrEnum
from typing import NamedTuple

from streams.processing.adapter_topics import AdapterTopics, MessageStandard
from streams.processing.topology import Topology


class ResourceType(StrEnum):
    """What a right is a right to; the words of kafka-acls.sh."""

    TOPIC = "topic"
    GROUP = "group"
    TRANSACTIONAL_ID = "transactional-id"


class PatternType(StrEnum):
    """Whether a right names its resource, or how the names of its resources begin."""

    LITERAL = "literal"
    PREFIXED = "prefixed"


class Operation(StrEnum):
    """What may be done; the words of kafka-acls.sh."""

    READ = "Read"
    WRITE = "Write"
    CREATE = "Create"
    DESCRIBE = "Describe"
    DESCRIBE_CONFIGS = "DescribeConfigs"


class Right(NamedTuple):
    """One line of an access control list."""

    resource_type: ResourceType
    name: str
    operation: Operation
    pattern_type: PatternType = PatternType.LITERAL

    def __str__(self) -> str:
        kind = self.resource_type.replace("-", " ")
        if self.pattern_type is PatternType.PREFIXED:
            return f"{self.operation} on every {kind} that begins with {self.name}"
        return f"{self.operation} on the {kind} {self.name}"


class Role(StrEnum):
    """Who has business with the topics."""

    WORKER = "worker"
    PRODUCER = "producer"
    BILLING_CONSUMER = "billing"
    EXPLAINER = "explainer"
    OBSERVER = "observer"
    AUDITOR = "auditor"
    REPLAYER = "replayer"
    REGISTRAR = "registrar"
    POLICY_OWNER = "policy-owner"
    OPERATOR = "operator"
    FHIR_ADAPTER = "fhir-adapter"
    HL7V2_ADAPTER = "hl7v2-adapter"


_STANDARDS = {Role.FHIR_ADAPTER: MessageStandard.FHIR, Role.HL7V2_ADAPTER: MessageStandard.HL7V2}

BILLING_GROUP = "billing"
"""A billing consumer's own group; it has whatever name it likes."""


def replay_transactional_id(topology: Topology) -> str:
    """Under which dead letters are sent again: one, so that of two who do so at once the older ends."""
    return f"{topology.app_id}-dead-letter-replay"


def rights_of(role: Role, topology: Topology) -> tuple[Right, ...]:  # noqa: C901, PLR0911 - one per role
    """The least set of rights with which *role* can do its work."""
    match role:
        case Role.WORKER:
            return _of_a_worker(topology)
        case Role.PRODUCER:
            return _to_inputs(topology)
        case Role.BILLING_CONSUMER:
            return (_topic(topology.coding_events, Operation.READ), _group(BILLING_GROUP, Operation.READ))
        case Role.EXPLAINER:
            return (_topic(topology.episodes_changelog, Operation.READ),)
        case Role.OBSERVER:
            read = (*topology.sources, topology.worker_reports)
            return (*(_topic(name, Operation.READ) for name in read), _group(topology.app_id, Operation.DESCRIBE))
        case Role.AUDITOR:
            return _of_an_auditor(topology)
        case Role.REPLAYER:
            return _of_a_replayer(topology)
        case Role.REGISTRAR:
            read_by_it = (topology.patient_merged, topology.episodes_changelog)
            return tuple(_topic(name, Operation.READ) for name in read_by_it)
        case Role.OPERATOR:
            operations = (Operation.CREATE, Operation.DESCRIBE, Operation.DESCRIBE_CONFIGS)
            return tuple(_topic(s.name, operation) for s in topology.specifications for operation in operations)
        case Role.POLICY_OWNER:
            return (_topic(topology.episodes_changelog, Operation.READ), _topic(topology.ticks, Operation.WRITE))
        case Role.FHIR_ADAPTER | Role.HL7V2_ADAPTER:
            return _of_an_adapter(AdapterTopics(_STANDARDS[role], topology))


def _of_a_worker(topology: Topology) -> tuple[Right, ...]:
    read = {*topology.sources, topology.episodes_changelog, topology.worker_reports}
    written = {
        topology.episodes_rekey,
        topology.episodes_changelog,
        topology.ticks,
        topology.coding_events,
        topology.dead_letter,
        topology.worker_reports,
    }
    rights = []
    for specification in topology.specifications:
        name = specification.name
        rights += [_topic(name, Operation.READ)] if name in read else []
        rights += [_topic(name, Operation.WRITE)] if name in written else []
        rights.append(_topic(name, Operation.DESCRIBE_CONFIGS))  # the preflight looks at cleanup and record sizes
    transactional_ids = f"{topology.app_id}-"
    return (
        *rights,
        _group(topology.app_id, Operation.READ),
        Right(ResourceType.TRANSACTIONAL_ID, transactional_ids, Operation.WRITE, PatternType.PREFIXED),
    )


def _of_an_auditor(topology: Topology) -> tuple[Right, ...]:
    outputs = (topology.coding_events, topology.dead_letter, topology.dead_letter_replays)
    read = tuple(_topic(name, Operation.READ) for name in (*topology.sources, *outputs))
    is_compacted = _topic(topology.coding_events, Operation.DESCRIBE_CONFIGS)
    return (*read, is_compacted, _group(topology.app_id, Operation.DESCRIBE))


def _of_a_replayer(topology: Topology) -> tuple[Right, ...]:
    replays = (Operation.READ, Operation.WRITE, Operation.CREATE)
    transactional_id = replay_transactional_id(topology)
    return (
        _topic(topology.dead_letter, Operation.READ),
        *_to_inputs(topology),
        *(_topic(topology.dead_letter_replays, operation) for operation in replays),
        Right(ResourceType.TRANSACTIONAL_ID, transactional_id, Operation.WRITE, PatternType.PREFIXED),
    )


def _of_an_adapter(topics: AdapterTopics) -> tuple[Right, ...]:
    return (
        _topic(topics.messages, Operation.READ),
        _topic(topics.dead_letter, Operation.WRITE),
        _topic(topics.topology.survey_completed, Operation.WRITE),
        _topic(topics.topology.treatment_recorded, Operation.WRITE),
        _group(topics.group_id, Operation.READ),
        Right(ResourceType.TRANSACTIONAL_ID, f"{topics.group_id}-", Operation.WRITE, PatternType.PREFIXED),
    )


def _to_inputs(topology: Topology) -> tuple[Right, ...]:
    return tuple(_topic(name, Operation.WRITE) for name in topology.kinds)


def _topic(name: str, operation: Operation) -> Right:
    return Right(ResourceType.TOPIC, name, operation)


def _group(name: str, operation: Operation) -> Right:
    return Right(ResourceType.GROUP, name, operation)
