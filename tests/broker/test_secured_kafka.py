"""On a Kafka that lets in nobody without TLS and a name, and denies what no ACL allows."""

import asyncio
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from streams.demo.health_system.generation import generate
from streams.demo.worker_process import WorkerProcess
from streams.kafka.connection import connection_options
from streams.processing.access import Operation, PatternType, ResourceType, Right, Role, rights_of
from streams.settings import Settings
from streams.worker.app import EXIT_DENIED
from tests.fleet import WAIT_SECONDS_MAX, Fleet, in_parts
from tests.secured_kafka import SecuredKafka

pytestmark = pytest.mark.kafka

RECORDS = generate(seed=9603, episodes=150).records
PASSWORD = "correct-horse-battery"  # noqa: S105 - of a user who lives as long as a test


@pytest.fixture(scope="module")
def secured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SecuredKafka]:
    """The broker."""
    with SecuredKafka(tmp_path_factory.mktemp("secured")) as kafka:
        yield kafka


class SecuredFleet(Fleet):
    """Workers who have exactly the rights of workers; what the test itself does, it does as administrator."""

    def __init__(self, kafka: SecuredKafka, prefix: str, folder: Path) -> None:
        super().__init__(kafka, prefix, folder)
        self.names = {"app_id": self.settings.app_id, "topic_prefix": prefix, "data_dir": self.settings.data_dir}
        self.connection = connection_options(Settings(**kafka.as_administrator(), **self.names))
        self.kafka = kafka
        self.rights = rights_of(Role.WORKER, self.topology)

    def let_in(self, principal: str, access: dict[str, Any]) -> None:
        """Start workers as *principal*, who gets the rights of a worker."""
        self.settings = Settings(**access, **self.names)
        self.kafka.grant(principal, self.rights)


@pytest.fixture
def fleet(secured: SecuredKafka, fresh_prefix: str, tmp_path: Path) -> SecuredFleet:
    """An application of its own, whose workers nobody has let in yet."""
    return SecuredFleet(secured, fresh_prefix, tmp_path)


def access_by(way: str, kafka: SecuredKafka, name: str, folder: Path) -> dict[str, Any]:
    """How *name* shows who it is."""
    match way:
        case "password":
            kafka.add_user(name, PASSWORD)
            return kafka.by_password(name, PASSWORD)
        case "certificate":
            return kafka.by_certificate(kafka.authority.issue(name))
        case _:
            token_file = folder / "token"
            token_file.touch(mode=0o600)
            token_file.write_text(kafka.token(name))
            return kafka.by_token(token_file)


@pytest.mark.parametrize("way", ["password", "certificate", "token"])
async def test_a_worker_with_exactly_its_rights(fleet: SecuredFleet, way: str, tmp_path: Path) -> None:
    """By each way in: everything is coded, and each right that was granted was needed."""
    await fleet.create_topics()
    fleet.let_in(f"worker-{way}", access_by(way, fleet.kafka, f"worker-{way}", tmp_path))
    fleet.start()
    await fleet.send(RECORDS)
    await fleet.until_done()

    assert await asyncio.to_thread(fleet.stop_all) == [0]
    await fleet.recounted()
    assert used_rights(fleet.kafka, f"worker-{way}") == set(fleet.rights)


MID_RUN = {
    "write-codes": lambda fleet: Right(ResourceType.TOPIC, fleet.topology.coding_events, Operation.WRITE),
    "read-surveys": lambda fleet: Right(ResourceType.TOPIC, fleet.topology.survey_completed, Operation.READ),
    "join-the-group": lambda fleet: Right(ResourceType.GROUP, fleet.settings.app_id, Operation.READ),
    "transactions": lambda fleet: fleet.rights[-1],
}


@pytest.mark.parametrize("right_of", MID_RUN.values(), ids=MID_RUN)
async def test_a_right_is_taken_away_in_the_middle(
    fleet: SecuredFleet, right_of: Callable[[SecuredFleet], Right], tmp_path: Path
) -> None:
    """The worker ends with 77 and the reason; when the right is given back, the next one loses and doubles nothing."""
    await fleet.create_topics()
    fleet.let_in("revoked", access_by("password", fleet.kafka, "revoked", tmp_path))
    worker = fleet.start()
    parts = in_parts(RECORDS, 2)
    await fleet.send(parts[0])
    await fleet.until_working()
    fleet.kafka.revoke("revoked", [right_of(fleet)])
    await fleet.send(parts[1])

    assert await ended(worker) == EXIT_DENIED, worker.log_tail()
    assert right_of(fleet).name.split("/")[0] in worker.log_tail()
    fleet.kafka.grant("revoked", [right_of(fleet)])
    fleet.workers.remove(worker)
    fleet.start()
    await fleet.until_done()
    assert await asyncio.to_thread(fleet.stop_all) == [0]
    await fleet.recounted()


async def ended(worker: WorkerProcess) -> int:
    """The exit code of a worker that ends by itself."""
    async with asyncio.timeout(WAIT_SECONDS_MAX):
        while worker.running:
            await asyncio.sleep(0.1)
    return worker.stop()


def used_rights(kafka: SecuredKafka, principal: str) -> set[Right]:
    """The rights by which the broker has allowed *principal* something, from the log of its decisions."""
    assert kafka.folder is not None
    log = (kafka.folder / "kafka.log").read_text()
    assert f"Principal = User:{principal} is Denied" not in log
    # Whoever may read or write may describe: what was described proves no right.
    return {
        Right(ResourceType[resource], name, Operation[operation], PatternType[pattern])
        for asked, resource, name, pattern, operation in re.findall(
            rf"Principal = User:{principal} is Allowed operation = (\w+) .*"
            r"resourceType=(\w+), resourceName=(.*), patternType=(\w+), .*operation=(\w+),",
            log,
        )
        if asked == operation
    }
