"""On a Kafka that lets in nobody without TLS and a name, and denies what no ACL allows: the workers."""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from streams.demo.health_system.generation import generate
from streams.instruments.registry import load_registry
from streams.kafka.broker_access import AccessDeniedError
from streams.policies.policy_loading import load_policy
from streams.processing.access import Operation, ResourceType, Right
from streams.worker.ending import EXIT_DENIED
from streams.worker.preflight import preflight
from tests.fleet import in_parts
from tests.secured_fleet import PASSWORD, SecuredFleet, ended
from tests.secured_kafka import SecuredKafka
from tests.token_endpoint import CLIENT_SECRET, TokenEndpoint

pytestmark = pytest.mark.kafka

RECORDS = generate(seed=9603, episodes=150).records


@pytest.fixture
def fleet(secured_kafka: SecuredKafka, fresh_prefix: str, tmp_path: Path) -> SecuredFleet:
    """An application of its own."""
    return SecuredFleet(secured_kafka, fresh_prefix, tmp_path)


@pytest.mark.parametrize("way", ["password", "certificate"])
async def test_a_worker_with_exactly_its_rights(fleet: SecuredFleet, way: str) -> None:
    """By either way in everything is coded, each right that was granted was needed, and nobody sees a secret."""
    await fleet.create_topics()
    fleet.let_in(way)
    await is_coded_with_exactly_its_rights(fleet, PASSWORD)


async def test_a_worker_with_tokens_from_an_endpoint(fleet: SecuredFleet) -> None:
    """The same with the client's secret in place of a password: each of a worker's clients fetches its tokens."""
    endpoint = TokenEndpoint(lambda: fleet.kafka.token(fleet.principal))
    await fleet.create_topics()
    async with endpoint.open(fleet.kafka.authority):
        fleet.let_in("token")
        fleet.use(fleet.kafka.by_endpoint(endpoint.url))
        await is_coded_with_exactly_its_rights(fleet, CLIENT_SECRET)
    assert endpoint.asked > 0


async def is_coded_with_exactly_its_rights(fleet: SecuredFleet, secret: str) -> None:
    """Have a worker code everything, by the hour too, and the next one restore it; *secret* is seen nowhere."""
    policy = fleet.token_file.with_name("policy.toml")
    policy.write_text('id = "by-the-hour"\nversion = "1"\npublished_codes = ["G9603", "G9604"]\n')
    fleet.settings = fleet.settings.model_copy(update={"policy": policy})
    fleet.policy = load_policy(policy, load_registry())
    worker = fleet.start()
    await fleet.send(RECORDS)
    await fleet.until_done()
    command_line = await asyncio.create_subprocess_exec(
        "ps", "-o", "args=", "-p", str(worker.pid), stdout=asyncio.subprocess.PIPE
    )
    told, _ = await command_line.communicate()
    assert await asyncio.to_thread(fleet.stop_all) == [0]
    fleet.workers.clear()
    await fleet.until_tasks(fleet.start(), 4)  # restored: only where there is state is the right to read it needed

    assert await asyncio.to_thread(fleet.stop_all) == [0]
    await fleet.recounted()
    assert fleet.used_rights() == set(fleet.rights)
    assert secret not in told.decode() + worker.log_text()


async def test_each_right_is_missed_before_a_worker_joins(fleet: SecuredFleet) -> None:
    """With any one of its rights taken away a worker does not start, and says which it is."""
    await fleet.create_topics()
    fleet.let_in("certificate")
    await preflight(fleet.settings, fleet.topology)
    for right in fleet.rights:
        fleet.kafka.revoke(fleet.principal, [right])
        with pytest.raises(AccessDeniedError) as denied:
            await preflight(fleet.settings, fleet.topology)
        fleet.kafka.grant(fleet.principal, [right])

        missing, where = str(denied.value).splitlines()
        assert missing == f"A right is missing: {right}, for the principal that we log in as."
        assert "g9603 topics --acls" in where


async def test_a_worker_that_may_not_write_its_transactions(fleet: SecuredFleet) -> None:
    """To look at a transactional id is not enough: what cannot be asked for beforehand ends the worker all the same."""
    await fleet.create_topics()
    fleet.let_in("certificate")
    transactions = fleet.rights[-1]
    fleet.kafka.revoke(fleet.principal, [transactions])
    fleet.kafka.grant(fleet.principal, [transactions._replace(operation=Operation.DESCRIBE)])
    worker = fleet.start()

    assert await ended(worker) == EXIT_DENIED, worker.log_tail()
    assert "TransactionalIdAuthorizationFailed" in worker.log_tail()


TAKEN_AWAY: dict[str, Callable[[SecuredFleet], Right]] = {
    "write codes": lambda fleet: Right(ResourceType.TOPIC, fleet.topology.coding_events, Operation.WRITE),
    "read surveys": lambda fleet: Right(ResourceType.TOPIC, fleet.topology.survey_completed, Operation.READ),
    "be in the group": lambda fleet: Right(ResourceType.GROUP, fleet.settings.app_id, Operation.READ),
    "transactions": lambda fleet: fleet.rights[-1],
}


@pytest.mark.parametrize("right_of", TAKEN_AWAY.values(), ids=TAKEN_AWAY)
async def test_a_right_is_taken_away_in_the_middle(
    fleet: SecuredFleet, right_of: Callable[[SecuredFleet], Right]
) -> None:
    """The worker ends with 77 and the reason; with the right given back, the next one loses and doubles nothing."""
    await fleet.create_topics()
    fleet.let_in("password")
    worker = fleet.start()
    parts = in_parts(RECORDS, 3)
    await fleet.send(parts[0])
    await fleet.until_working()
    fleet.kafka.revoke(fleet.principal, [right_of(fleet)])
    await fleet.send(parts[1])

    assert await ended(worker) == EXIT_DENIED, worker.log_tail()
    assert right_of(fleet).name in worker.log_tail()
    fleet.kafka.grant(fleet.principal, [right_of(fleet)])
    await goes_on(fleet)


async def test_a_certificate_runs_out_in_the_middle(fleet: SecuredFleet) -> None:
    """Connections that are open stay so; the worker ends all the same, and the next one has a new certificate."""
    await fleet.create_topics()
    fleet.let_in("certificate")
    files = fleet.kafka.authority.issue(fleet.principal, valid_for=timedelta(seconds=25))
    fleet.use(fleet.kafka.by_certificate(files))
    await is_locked_out(fleet, lambda: None, "does not accept our certificate")

    fleet.kafka.authority.issue(fleet.principal)
    await goes_on(fleet)


async def test_a_user_is_removed_in_the_middle(fleet: SecuredFleet) -> None:
    """The same for a user."""
    await fleet.create_topics()
    fleet.let_in("password")
    await is_locked_out(fleet, lambda: fleet.kafka.remove_user(fleet.principal), "does not let in")

    fleet.let_in("password")
    await goes_on(fleet)


async def test_a_token_is_not_renewed(fleet: SecuredFleet) -> None:
    """The same for a token; aiokafka alone would take itself for logged in."""
    await fleet.create_topics()
    fleet.let_in("token")
    stale = fleet.kafka.token(fleet.principal, valid_for=timedelta(minutes=-5))
    await is_locked_out(fleet, lambda: fleet.token_file.write_text(stale), "does not accept the token")

    fleet.let_in("token")
    await goes_on(fleet)


async def is_locked_out(fleet: SecuredFleet, lock_out: Callable[[], object], words: str) -> None:
    """Start a worker, lock it out in the middle, and see it end with 77 and these words."""
    worker = fleet.start()
    parts = in_parts(RECORDS, 3)
    await fleet.send(parts[0])
    await fleet.until_working()
    lock_out()

    assert await ended(worker) == EXIT_DENIED, worker.log_tail()
    assert words in worker.log_tail()


async def goes_on(fleet: SecuredFleet) -> None:
    """Start a worker in the place of the one that has ended: with what is left, nothing is lost and nothing doubled."""
    fleet.workers.clear()
    await fleet.send(in_parts(RECORDS, 3)[2])
    fleet.start()
    await fleet.until_done()
    assert await asyncio.to_thread(fleet.stop_all) == [0]
    await fleet.recounted()
