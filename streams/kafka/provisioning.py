"""Whether the topics are as the worker needs them; each fault is a sentence that says what to do."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from streams.kafka.topic_admin import TopicAdmin, TopicDescription, topic_admin
from streams.processing.topology import TopicSpecification, Topology

_COMPACT = "compact"
_HEADERS_ALLOWANCE_BYTES = 64 * 1024
"""What a dead letter adds to the record that it carries, at most."""


class TopicsMissingError(Exception):
    """Topics are not there that a command reads; the message says which, and what to do."""


@dataclass(frozen=True, slots=True)
class TopicState:
    """A topic of the topology as it was found."""

    specification: TopicSpecification
    found: TopicDescription | None
    config: Mapping[str, str] | None


async def ensure_topics(connection: Mapping[str, Any], names: Collection[str]) -> None:
    """Return where all *names* are topics.

    Raises:
        TopicsMissingError: One is not.
        BrokerUnreachableError: No broker answers; `topic_admin` has more.
    """
    async with topic_admin(connection) as admin:
        found = await admin.describe(names)
    missing = [name for name in names if name not in found]
    if missing:
        message = (
            f"{', '.join(missing)}: no such topic. Check G9603_APP_ID and G9603_TOPIC_PREFIX against the worker's, or "
            "create the topics with `g9603 topics`."
        )
        raise TopicsMissingError(message)


async def inspect_topics(admin: TopicAdmin, topology: Topology) -> list[TopicState]:
    """The state of every topic of *topology*, in the order of the flow."""
    specifications = topology.specifications
    found = await admin.describe([specification.name for specification in specifications])
    return [
        TopicState(
            specification,
            found.get(specification.name),
            await admin.config_of(specification.name) if specification.name in found else None,
        )
        for specification in specifications
    ]


def topic_faults(states: list[TopicState], topology: Topology) -> list[str]:
    """What keeps a worker from starting, as sentences; empty where all is well."""
    missing = [state.specification.name for state in states if state.found is None]
    if missing:
        return [f"{name} does not exist: create it with `g9603 topics`." for name in missing]
    return [
        *_partition_faults({state.specification.name: state for state in states}, topology),
        *(fault for state in states for fault in _compaction_faults(state, topology)),
        *(fault for state in states for fault in _clock_faults(state, topology)),
        *_size_faults({state.specification.name: state for state in states}, topology),
    ]


def partition_counts(states: list[TopicState]) -> dict[str, int]:
    """How many partitions each topic has."""
    return {state.specification.name: state.found.partition_count for state in states if state.found is not None}


def _partition_faults(states: Mapping[str, TopicState], topology: Topology) -> list[str]:
    counts = partition_counts(list(states.values()))
    changelog = topology.episodes_changelog
    faults = [
        (
            f"{name} has {counts[name]} partitions and {changelog} has {counts[changelog]}: they must have the "
            f"same. Delete {name} while no worker runs and everything is read, then run `g9603 topics`."
        )
        for name in (topology.episodes_rekey, topology.ticks)
        if counts[name] != counts[changelog]
    ]
    faults += [
        (
            f"{name} has {counts[name]} partitions, more than the {counts[changelog]} of {changelog}: an input may not "
            "be wider than the state. Move the application to a wider changelog."
        )
        for name in topology.kinds
        if counts[name] > counts[changelog]
    ]
    return faults


def _compaction_faults(state: TopicState, topology: Topology) -> list[str]:
    if state.config is None:
        return []
    name, policy = state.specification.name, state.config.get("cleanup.policy", "")
    policies = {part.strip() for part in policy.split(",")}
    if name == topology.episodes_changelog and policies != {_COMPACT}:
        fault = (
            f"{name} has cleanup.policy={policy}, and would lose or pile up state: set it with "
            f"`kafka-configs.sh --alter --topic {name} --add-config cleanup.policy=compact`."
        )
        return [fault]
    # A compacted billing topic is its consumers' choice: it keeps what is active. Elsewhere records would be lost.
    if name not in (topology.episodes_changelog, topology.coding_events) and _COMPACT in policies:
        fault = (
            f"{name} has cleanup.policy={policy}: compaction would drop records that count. Set it to delete with "
            f"`kafka-configs.sh --alter --topic {name} --add-config cleanup.policy=delete`."
        )
        return [fault]
    return []


def _clock_faults(state: TopicState, topology: Topology) -> list[str]:
    name, config = state.specification.name, state.config
    if name != topology.ticks or config is None or config.get("message.timestamp.type") == "LogAppendTime":
        return []
    fault = (
        f"{name} has message.timestamp.type={config.get('message.timestamp.type')}: what time it is would be told by "
        f"whichever worker's clock. Set it with `kafka-configs.sh --alter --topic {name} --add-config "
        "message.timestamp.type=LogAppendTime`."
    )
    return [fault]


def _size_faults(states: Mapping[str, TopicState], topology: Topology) -> list[str]:
    largest = max((_bytes_max(states[name]) for name in topology.kinds), default=0)
    faults = []
    for name in (topology.dead_letter, topology.episodes_rekey):
        config = states[name].config
        if config is not None and int(config["max.message.bytes"]) < largest + _HEADERS_ALLOWANCE_BYTES:
            faults.append(
                f"{name} takes records of {config['max.message.bytes']} bytes at most, but must take any record of "
                f"the inputs with its added headers: set its max.message.bytes to {largest + _HEADERS_ALLOWANCE_BYTES} "
                "or more."
            )
    return faults


def _bytes_max(state: TopicState) -> int:
    return int(state.config["max.message.bytes"]) if state.config is not None else 0


async def create_missing_topics(
    admin: TopicAdmin, topology: Topology, *, partition_count: int, replication: int
) -> list[str]:
    """Create the topics of *topology* that do not exist; the names of those that were created.

    An internal topic is never narrower than an input, and the internal ones are of one width.
    """
    found = await admin.describe([specification.name for specification in topology.specifications])
    widths = [description.partition_count for name, description in found.items() if name in topology.kinds]
    internal_names = [s.name for s in topology.specifications if s.internal]
    internal_widths = [found[name].partition_count for name in internal_names if name in found]
    internal_width = max(internal_widths) if internal_widths else max([partition_count, *widths])
    created = []
    for specification in topology.specifications:
        if specification.name not in found:
            width = internal_width if specification.internal else partition_count
            await admin.create(
                specification.name,
                partition_count=specification.partition_count or width,
                replication=replication,
                config=specification.config,
            )
            created.append(specification.name)
    return created


async def create_missing(
    admin: TopicAdmin, specifications: Sequence[TopicSpecification], *, partition_count: int, replication: int
) -> list[str]:
    """Create those of *specifications* that do not exist, however wide the others are; the names of those created."""
    found = await admin.describe([specification.name for specification in specifications])
    missing = [specification for specification in specifications if specification.name not in found]
    for specification in missing:
        width = specification.partition_count or partition_count
        await admin.create(
            specification.name, partition_count=width, replication=replication, config=specification.config
        )
    return [specification.name for specification in missing]
