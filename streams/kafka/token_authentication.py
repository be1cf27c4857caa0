"""Logs in with a token, and notices when the broker does not take it.

A broker that refuses a token of OAUTHBEARER says so in its answer (RFC 7628, 3.2.2), without an error code. aiokafka
0.14 does not look at the answer and takes itself for logged in; its next request is answered with an empty cluster, and
nothing says why. This replaces a part of aiokafka that is not meant to be replaced: its version is pinned for that.
"""

import aiokafka.conn
import aiokafka.errors as kafka_errors
from aiokafka.conn import OAuthAuthenticator


class StrictTokenAuthenticator(OAuthAuthenticator):
    """aiokafka's, but for the answer to the token."""

    async def step(self, payload: bytes | None) -> tuple[bytes, bool] | None:
        """The next message to the broker; None where the broker has taken the token.

        Raises:
            SaslAuthenticationFailed: It has not.
        """
        if payload:
            message = "The broker does not accept the token."
            raise kafka_errors.SaslAuthenticationFailed(message)
        sent: tuple[bytes, bool] | None = await super().step(payload)
        return sent


def notice_refused_tokens() -> None:
    """Have all aiokafka clients of this process use the strict authenticator."""
    aiokafka.conn.OAuthAuthenticator = StrictTokenAuthenticator
