"""Who needs which rights, as a document: ``g9603 topics --acls``, kept in deploy/acls.md."""

from collections.abc import Mapping

from streams.processing.access import BILLING_GROUP, Operation, PatternType, Right, Role, rights_of
from streams.processing.topology import Topology

_INTRODUCTION = """\
# Who needs which rights

Printed by `g9603 topics --acls` from the topics of the application: with `G9603_APP_ID` or `G9603_TOPIC_PREFIX` set,
it prints your names. Each set is the least with which its role can do its work, on a cluster that denies everything
else; the tests run on one. Read and Write include Describe. Put your own principals in the place of these.

```console
acls="kafka-acls.sh --bootstrap-server kafka-1:9093 --command-config administrator.properties --add"
```
"""

_WHO = {
    Role.WORKER: "`g9603 worker`.",
    Role.PRODUCER: "Each system that sends surveys, treatments or merges, and `g9603 send`.",
    Role.BILLING_CONSUMER: f"Whoever reads what to bill, in a group of its own: here `{BILLING_GROUP}`.",
    Role.EXPLAINER: "`g9603 explain`. It sees all that is known of every patient.",
    Role.OBSERVER: "`g9603 lag`. To tell how old a waiting record is, it reads it.",
    Role.AUDITOR: "`g9603 reconcile` and `g9603 dead-letter list` and `show`. It sees all that was sent and told.",
    Role.REPLAYER: "`g9603 dead-letter replay`. It can make up input.",
    Role.REGISTRAR: "`g9603 identity worklist`. It sees all that is known of every patient.",
    Role.POLICY_OWNER: "`g9603 policy diff` and `redecide`. It can have billing told what the policy of now changes.",
    Role.OPERATOR: "`g9603 topics`. To check topics that are there, Create is not needed.",
    Role.FHIR_ADAPTER: "`g9603 adapter fhir`. It makes input of what it reads.",
    Role.HL7V2_ADAPTER: "`g9603 adapter hl7v2`. It makes input of what it reads.",
}
_TITLES = {Role.POLICY_OWNER: "Policy owner", Role.FHIR_ADAPTER: "FHIR adapter", Role.HL7V2_ADAPTER: "HL7 v2 adapter"}


def acls_document(topology: Topology) -> str:
    """The rights of each role, as tables and as commands of Kafka's kafka-acls.sh, in Markdown."""
    return _INTRODUCTION + "".join(_section(role, topology) for role in Role)


def _section(role: Role, topology: Topology) -> str:
    resources = _by_resource(rights_of(role, topology))
    rows = [f"| {r.resource_type} | `{_pattern(r)}` | {', '.join(allowed)} |" for r, allowed in resources.items()]
    commands = [_command(f"User:{topology.app_id}-{role}", r, allowed) for r, allowed in resources.items()]
    table = ["| resource | name | may |", "|---|---|---|", *rows]
    lines = [
        "",
        f"## {_TITLES.get(role, role.capitalize())}",
        "",
        _WHO[role],
        "",
        *table,
        "",
        "```console",
        *commands,
        "```",
        "",
    ]
    return "\n".join(lines)


def _by_resource(rights: tuple[Right, ...]) -> Mapping[Right, list[Operation]]:
    """What may be done with each resource, which the first right to it stands for."""
    first: dict[tuple[str, str], Right] = {}
    allowed: dict[Right, list[Operation]] = {}
    for right in rights:
        resource = first.setdefault((right.resource_type, right.name), right)
        allowed.setdefault(resource, []).append(right.operation)
    return allowed


def _pattern(right: Right) -> str:
    return f"{right.name}*" if right.pattern_type is PatternType.PREFIXED else right.name


def _command(principal: str, right: Right, allowed: list[Operation]) -> str:
    operations = " ".join(f"--operation {operation}" for operation in allowed)
    pattern = " --resource-pattern-type prefixed" if right.pattern_type is PatternType.PREFIXED else ""
    return f"$acls --allow-principal {principal} {operations} --{right.resource_type} {right.name}{pattern}"
