"""On a Kafka that lets in nobody without TLS and a name, and denies what no ACL allows: the commands, and refusals."""

import asyncio
import json
import ssl
from collections.abc import Callable
from datetime import timedelta
from http import HTTPStatus
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from aiokafka import AIOKafkaConsumer
from typer.testing import CliRunner, Result

from streams.cli.application import cli
from streams.kafka.broker_access import AccessDeniedError, BrokerUnreachableError, ensure_access
from streams.kafka.connection import connection_options
from streams.local_kafka.local_broker import LocalKafka
from streams.processing.access import BILLING_GROUP, Operation, Role, rights_of
from streams.processing.topology import Topology
from streams.settings import Settings
from tests.broker.test_commands import SURVEY, TREATMENT
from tests.certificates import Authority
from tests.example_messages import MERGE
from tests.secured_fleet import PASSWORD
from tests.secured_kafka import SecuredKafka
from tests.token_endpoint import TokenEndpoint

pytestmark = pytest.mark.kafka

NOT_FOUND, UNAVAILABLE, DENIED, MISCONFIGURED = 1, 69, 77, 78


class Place(NamedTuple):
    """Where a test is: the broker, names of its own, and a folder."""

    kafka: SecuredKafka
    topology: Topology
    folder: Path

    def run(self, access: dict[str, Any], *arguments: str) -> Result:
        """Run a command with the settings *access*."""
        settings = Settings(**access, app_id=self.topology.app_id, topic_prefix=self.topology.topic_prefix)
        return CliRunner().invoke(cli, list(arguments), env=settings.environment())

    def enter(self, role: Role) -> dict[str, Any]:
        """The settings of somebody who has exactly the rights of *role*."""
        self.kafka.grant(self.principal(role), rights_of(role, self.topology))
        return self.kafka.by_certificate(self.kafka.authority.issue(self.principal(role)))

    def principal(self, role: Role) -> str:
        """Who has that role; a certificate's name has 64 characters at most."""
        return f"{self.topology.topic_prefix[-30:].lstrip('-')}{role}"


@pytest.fixture
def place(secured_kafka: SecuredKafka, fresh_prefix: str, tmp_path: Path) -> Place:
    """A place without topics."""
    return Place(secured_kafka, Topology(f"{fresh_prefix}coder", fresh_prefix), tmp_path)


@pytest.fixture
def events(tmp_path: Path) -> Path:
    """A survey, a treatment, and a merge that is taken back, to send."""
    path = tmp_path / "events.ndjson"
    unmerge = MERGE | {"event_id": "event-4", "action": "unmerge"}
    path.write_text("\n".join(json.dumps(event) for event in (SURVEY, TREATMENT, MERGE, unmerge)))
    return path


async def test_each_role_does_its_work_with_exactly_its_rights(place: Place, events: Path) -> None:
    """Topics are made, events sent, an episode asked for, and codes read as billing does."""
    topics, send, explain, reconcile, worklist, replay = await asyncio.to_thread(
        lambda: (
            place.run(place.enter(Role.OPERATOR), "topics", "--replication", "1", "--json"),
            place.run(place.enter(Role.PRODUCER), "send", str(events)),
            place.run(place.enter(Role.EXPLAINER), "explain", "ep1"),
            place.run(place.enter(Role.AUDITOR), "reconcile", "--json"),
            place.run(place.enter(Role.REGISTRAR), "identity", "worklist", "--json"),
            place.run(place.enter(Role.REPLAYER), "dead-letter", "replay", "--all"),
        )
    )
    billing = connection_options(Settings(**place.enter(Role.BILLING_CONSUMER)))
    async with AIOKafkaConsumer(place.topology.coding_events, **billing, group_id=BILLING_GROUP) as consumer:
        codes = await consumer.getmany(timeout_ms=500)

    assert len(json.loads(topics.stdout)["created"]) == len(place.topology.specifications), topics.output
    assert send.exit_code == 0, send.output
    assert (explain.exit_code, "is not known" in explain.output) == (NOT_FOUND, True), explain.output
    assert codes == {}
    assert reconcile.exit_code == 0, (reconcile.output, reconcile.exception)
    assert json.loads(reconcile.stdout)["waiting"]["records"] == 4
    assert [item["concern"] for item in json.loads(worklist.stdout)] == ["unmerged"], worklist.output
    assert (replay.exit_code, "0 still dead" in replay.output) == (0, True), replay.output


@pytest.mark.parametrize(
    ("role", "arguments"),
    [
        (Role.OPERATOR, ["topics"]),
        (Role.PRODUCER, ["send", "-"]),
        (Role.EXPLAINER, ["explain", "ep1"]),
        (Role.AUDITOR, ["reconcile"]),
        (Role.REPLAYER, ["dead-letter", "replay", "--all"]),
        (Role.REGISTRAR, ["identity", "worklist"]),
        (Role.POLICY_OWNER, ["policy", "redecide", "--yes"]),
    ],
)
def test_a_command_names_the_right_that_is_missing(place: Place, role: Role, arguments: list[str]) -> None:
    """It ends with 77, whichever right it is."""
    access = place.enter(role)
    administrator = place.kafka.as_administrator()
    assert place.run(administrator, "topics", "--replication", "1").exit_code == 0
    assert place.run(administrator, "dead-letter", "replay", "--all").exit_code == 0  # makes a topic of its own
    for right in rights_of(role, place.topology):
        if right.operation is Operation.CREATE:
            continue  # the topics are there
        place.kafka.revoke(place.principal(role), [right])
        refused = place.run(access, *arguments)
        place.kafka.grant(place.principal(role), [right])

        assert refused.exit_code == DENIED, (right, refused.output)
        assert f"A right is missing: {right}" in refused.output


def test_whoever_may_not_create_topics_is_told(place: Place) -> None:
    """The right to create is missed only where a topic is missing."""
    access = place.enter(Role.OPERATOR)
    create = [r for r in rights_of(Role.OPERATOR, place.topology) if r.operation is Operation.CREATE]
    place.kafka.revoke(place.principal(Role.OPERATOR), create)

    refused = place.run(access, "topics", "--replication", "1")

    assert refused.exit_code == DENIED, refused.output
    assert f"A right is missing: Create on the topic {place.topology.survey_completed}" in refused.output


def _password(place: Place, **changes: Any) -> dict[str, Any]:  # noqa: ANN401 - settings
    place.kafka.add_user("user", PASSWORD)
    return {**place.kafka.by_password("user", PASSWORD), **changes}


def _token(place: Place, token: str) -> dict[str, Any]:
    path = place.folder / "token"
    path.touch(mode=0o600)
    path.write_text(token)
    return place.kafka.by_token(path)


def _certificate(place: Place, authority: Authority, valid_for: timedelta) -> dict[str, Any]:
    return place.kafka.by_certificate(authority.issue("user", valid_for=valid_for))


def _other(place: Place) -> Authority:
    return Authority(place.folder / "other")


def _without_certificate(place: Place) -> dict[str, Any]:
    access = place.kafka.as_administrator()
    return {name: access[name] for name in ("bootstrap_servers", "security_protocol", "tls_ca_file")}


def _by_another_name(place: Place) -> dict[str, Any]:
    return _password(place, bootstrap_servers=place.kafka.bootstrap_servers.replace("127.0.0.1", "localhost"))


DAY = timedelta(days=1)
REFUSALS: dict[str, tuple[Callable[[Place], dict[str, Any]], int, str]] = {
    "wrong password": (lambda p: _password(p, sasl_password="wrong"), DENIED, "does not let in 'user'"),  # noqa: S106
    "unknown user": (lambda p: _password(p, sasl_username="nobody"), DENIED, "does not let in 'nobody'"),
    "no token": (lambda p: _token(p, "no token"), DENIED, "does not accept the token in G9603_OAUTH_TOKEN_FILE"),
    "old token": (lambda p: _token(p, p.kafka.token("user", valid_for=-DAY)), DENIED, "does not accept the token"),
    "old certificate": (lambda p: _certificate(p, p.kafka.authority, -DAY), DENIED, "does not accept our certificate"),
    "other authority's": (lambda p: _certificate(p, _other(p), DAY), DENIED, "does not accept our certificate"),
    "no certificate": (_without_certificate, DENIED, "Set G9603_TLS_CERTIFICATE_FILE"),
    "unknown authority": (
        lambda p: _password(p, tls_ca_file=_other(p).ca_file),
        MISCONFIGURED,
        "set G9603_TLS_CA_FILE",
    ),
    "another name": (_by_another_name, MISCONFIGURED, "is for other names"),
    "no TLS": (
        lambda p: {"bootstrap_servers": p.kafka.bootstrap_servers},
        UNAVAILABLE,
        "SECURITY_PROTOCOL than PLAINTEXT",
    ),
    "no SASL": (
        lambda p: p.kafka.as_administrator() | {"bootstrap_servers": p.kafka.bootstrap_servers},
        UNAVAILABLE,
        "SECURITY_PROTOCOL than SSL",
    ),
    "nobody there": (lambda p: _password(p, bootstrap_servers="127.0.0.1:1"), UNAVAILABLE, "No Kafka broker answers"),
}


@pytest.mark.parametrize(("access", "exit_code", "words"), REFUSALS.values(), ids=REFUSALS)
@pytest.mark.parametrize("command", ["topics", "worker"])
def test_whoever_is_not_let_in_is_told_why(
    place: Place, command: str, access: Callable[[Place], dict[str, Any]], exit_code: int, words: str
) -> None:
    """A sentence that says what to look at, an exit code that fits, and no secret in either."""
    refused = place.run(access(place), command)

    assert refused.exit_code == exit_code, refused.output
    assert words in refused.output
    assert PASSWORD not in refused.output


async def test_a_token_endpoint_lets_us_in(place: Place) -> None:
    """Its token is as good as one in a file; whose fault it is that there is none, the words and the error say."""
    endpoint = TokenEndpoint(lambda: place.kafka.token("user"))
    async with endpoint.open(place.kafka.authority):
        settings = Settings(**place.kafka.by_endpoint(endpoint.url))
        await ensure_access(connection_options(settings))

        endpoint.answer = HTTPStatus.UNAUTHORIZED, {"error": "invalid_client"}
        with pytest.raises(AccessDeniedError, match=r"^The token endpoint \S+ gives us no token \(invalid_client\)"):
            await ensure_access(connection_options(settings))
    with pytest.raises(BrokerUnreachableError, match=r"^The token endpoint \S+ cannot be asked"):
        await ensure_access(connection_options(settings))


async def test_a_broker_whose_certificate_has_expired(place: Place) -> None:
    """It is the broker's operator who must act."""
    expired = place.kafka.authority.issue("late", "127.0.0.1", valid_for=-DAY)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(*expired)
    server = await asyncio.start_server(lambda _reader, writer: writer.close(), "127.0.0.1", 0, ssl=context)
    async with server:
        port = server.sockets[0].getsockname()[1]
        access = place.kafka.as_administrator() | {"bootstrap_servers": f"127.0.0.1:{port}"}
        with pytest.raises(BrokerUnreachableError, match="has expired: have the broker's operator renew it"):
            await ensure_access(connection_options(Settings(**access)))


async def test_tls_at_an_open_door(kafka: LocalKafka, place: Place) -> None:
    """Credentials never go where TLS is not spoken."""
    access = _password(place, bootstrap_servers=kafka.bootstrap_servers)

    with pytest.raises(BrokerUnreachableError, match="No Kafka broker answers"):
        await ensure_access(connection_options(Settings(**access)))
