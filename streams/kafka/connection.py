"""How clients reach the brokers: the options that every aiokafka client of ours is made with."""

from collections.abc import Mapping
from typing import Any

from streams.kafka.credentials import security_options
from streams.settings import Settings

_OF_CONSUMERS = frozenset({"check_crcs"})


def connection_options(settings: Settings) -> dict[str, Any]:
    """The options of an aiokafka consumer; `client_options` makes those of any other client of them.

    They hold secrets: nothing may print them.

    Raises:
        CredentialsRefusedError: A file of the credentials is missing, open to others, or not what it should be.
    """
    return {
        "bootstrap_servers": settings.bootstrap_servers,
        "check_crcs": settings.check_crcs,
        **security_options(settings),
    }


def client_options(connection: Mapping[str, Any]) -> dict[str, Any]:
    """*connection* without what only consumers understand: for producers and admin clients."""
    return {name: value for name, value in connection.items() if name not in _OF_CONSUMERS}
