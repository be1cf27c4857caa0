"""What does the chart know of topics and rights? ``python -m tests.deploy.topology_file`` writes it from the code.

The chart cannot ask the code, so it carries the topics and who may do what in a file, with markers in the place of the
application's id and of the prefix. `test_chart` holds the file against the code, and what Helm makes of it, too.
"""

import json
from pathlib import Path

from streams.processing.access import Right, Role, rights_of
from streams.processing.topology import Topology

TOPOLOGY_FILE = Path(__file__).parents[2] / "deploy" / "helm" / "g9603" / "files" / "topology.json"
_MARKED = Topology(app_id="<app-id>", topic_prefix="<topic-prefix>")
# Strimzi's words for Kafka's (https://strimzi.io/docs/operators/latest/configuring.html, AclRule).
_STRIMZI_TYPES = {"topic": "topic", "group": "group", "transactional-id": "transactionalId"}
_STRIMZI_PATTERNS = {"literal": "literal", "prefixed": "prefix"}


def topology_document() -> str:
    """The topics and the rights of each role, in JSON; null partitions are a matter of load."""
    topics = [
        {"name": s.name, "partitions": s.partition_count, "config": dict(sorted(s.config.items()))}
        for s in _MARKED.specifications
    ]
    users = {role.value: strimzi_acls(role, _MARKED) for role in Role}
    return json.dumps({"topics": topics, "users": users}, indent=2) + "\n"


def strimzi_acls(role: Role, topology: Topology) -> list[dict[str, object]]:
    """The rights of *role* as the ``acls`` of a KafkaUser, one for each resource."""
    operations: dict[tuple[str, str, str], list[str]] = {}
    for right in rights_of(role, topology):
        operations.setdefault(_resource(right), []).append(right.operation.value)
    return [
        {"resource": {"type": kind, "name": name, "patternType": pattern}, "operations": allowed}
        for (kind, name, pattern), allowed in operations.items()
    ]


def _resource(right: Right) -> tuple[str, str, str]:
    return _STRIMZI_TYPES[right.resource_type], right.name, _STRIMZI_PATTERNS[right.pattern_type]


if __name__ == "__main__":
    TOPOLOGY_FILE.write_text(topology_document())
