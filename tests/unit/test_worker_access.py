"""How the worker's own parts and Faust's consumer are let in, and what ends a worker that is not any more."""

import asyncio
from pathlib import Path

import pytest
from faust.transport.drivers.aiokafka import credentials_to_aiokafka_auth
from structlog.testing import capture_logs

from streams.kafka.connection import connection_options
from streams.processing.access import Role, rights_of
from streams.processing.topology import Topology
from streams.settings import Settings
from streams.worker.access_watch import watch_access
from streams.worker.broker_credentials import broker_credentials
from tests.certificates import Authority

_PATIENCE_SECONDS = 60


def settings_of(way: str, folder: Path) -> Settings:
    """Settings that let a worker in that way."""
    authority = Authority(folder / "authority")
    files = authority.issue("worker")
    match way:
        case "open door":
            return Settings()
        case "certificate":
            return Settings(security_protocol="SSL", tls_certificate_file=files.certificate, tls_key_file=files.key)
        case "password":
            return Settings(
                security_protocol="SASL_SSL",
                sasl_mechanism="SCRAM-SHA-512",
                sasl_username="worker",
                sasl_password_file=files.key,
            )
        case _:
            return Settings(security_protocol="SASL_SSL", sasl_mechanism="OAUTHBEARER", oauth_token_file=files.key)


@pytest.mark.parametrize("way", ["open door", "certificate", "password", "token"])
def test_faust_is_let_in_as_we_are(tmp_path: Path, way: str) -> None:
    """What Faust makes of its credentials for aiokafka is what our own clients are made with."""
    connection = connection_options(settings_of(way, tmp_path))

    ours = {name: value for name, value in connection.items() if name not in {"bootstrap_servers", "check_crcs"}}
    assert credentials_to_aiokafka_auth(broker_credentials(connection)) == ours


async def test_a_broker_that_is_away_ends_no_worker() -> None:
    """Silence is no denial: the watch says that it could not look, and looks again."""
    denials: list[Exception] = []
    rights = rights_of(Role.WORKER, Topology())
    with capture_logs() as logs:
        watch = asyncio.create_task(
            watch_access({"bootstrap_servers": "127.0.0.1:1"}, rights, every_seconds=0.01, on_denied=denials.append)
        )
        async with asyncio.timeout(_PATIENCE_SECONDS):
            while len(logs) < 3 and not watch.done():
                await asyncio.sleep(0.01)
        watch.cancel()
        await asyncio.wait([watch])

    assert denials == []
    assert {log["event"] for log in logs} == {"access_not_checked"}
    assert "No Kafka broker answers at 127.0.0.1:1" in logs[0]["reason"]
