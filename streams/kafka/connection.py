"""How clients reach the brokers: the options that every aiokafka client of ours is made with."""

from typing import Any

from streams.settings import Settings


def connection_options(settings: Settings) -> dict[str, Any]:
    """The options of an aiokafka client."""
    return {"bootstrap_servers": settings.bootstrap_servers}
