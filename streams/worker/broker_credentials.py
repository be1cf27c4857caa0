"""The options of our clients, in the words of Faust: its consumer is the one client that we do not make."""

from collections.abc import Mapping
from typing import Any

import faust

from streams.settings import SaslMechanism, SecurityProtocol


def broker_credentials(
    connection: Mapping[str, Any],
) -> faust.SSLCredentials | faust.SASLCredentials | faust.OAuthCredentials | None:
    """What Faust must be told to be let in where a client of *connection* is; never part of a broker's URL."""
    if connection["security_protocol"] == SecurityProtocol.PLAINTEXT:
        return None
    context = connection["ssl_context"]
    match connection.get("sasl_mechanism"):
        case None:
            return faust.SSLCredentials(context)
        case SaslMechanism.OAUTHBEARER:
            return faust.OAuthCredentials(oauth_cb=connection["sasl_oauth_token_provider"], ssl_context=context)
        case mechanism:
            return faust.SASLCredentials(
                username=connection["sasl_plain_username"],
                password=connection["sasl_plain_password"],
                ssl_context=context,
                mechanism=mechanism,
            )
