"""Who needs which rights: the document, and what follows from the topology."""

from pathlib import Path

import pytest

from streams.cli.acls_document import acls_document
from streams.processing.access import Operation, PatternType, ResourceType, Role, rights_of
from streams.processing.topology import Topology

DOCUMENT = Path(__file__).parents[2] / "deploy" / "acls.md"
TOPOLOGY = Topology("coder", "clinic-")


def test_the_document_is_what_the_command_prints() -> None:
    """If this fails: `g9603 topics --acls > deploy/acls.md`."""
    assert DOCUMENT.read_text() == acls_document(Topology())


def test_a_worker_may_not_make_up_its_input() -> None:
    """What billing is told rests on inputs, which a worker that is taken over cannot forge."""
    written = {r.name for r in rights_of(Role.WORKER, TOPOLOGY) if r.operation is Operation.WRITE}

    assert written.isdisjoint(TOPOLOGY.kinds)


@pytest.mark.parametrize("role", Role)
def test_nobody_may_do_more_than_is_named(role: Role) -> None:
    """No wildcards; only transactional ids, which have the host's name in them, are told by how they begin."""
    rights = rights_of(role, TOPOLOGY)

    assert len(set(rights)) == len(rights)
    for right in rights:
        assert right.name not in ("", "*")
        assert (right.pattern_type is PatternType.PREFIXED) == (right.resource_type is ResourceType.TRANSACTIONAL_ID)


@pytest.mark.parametrize("role", [Role.PRODUCER, Role.BILLING_CONSUMER, Role.EXPLAINER])
def test_nobody_else_may_speak_for_a_worker(role: Role) -> None:
    """Only workers write codes, dead letters and state, and commit for their group."""
    rights = rights_of(role, TOPOLOGY)
    workers_own = {TOPOLOGY.coding_events, TOPOLOGY.dead_letter, TOPOLOGY.episodes_changelog, TOPOLOGY.episodes_rekey}

    assert not [r for r in rights if r.operation is Operation.WRITE and r.name in workers_own]
    assert not [r for r in rights if r.resource_type is ResourceType.GROUP and r.name == TOPOLOGY.app_id]
