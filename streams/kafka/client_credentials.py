"""A token for OAUTHBEARER from a token endpoint: the client credentials grant of OAuth 2.0 (RFC 6749, 4.4).

The token is asked for when a connection needs one, and kept for most of its life. Whatever fails here is, to aiokafka,
a connection that could not be made.
"""

import re
import ssl
import time
from collections.abc import Callable
from http import HTTPStatus
from typing import Any, NamedTuple
from urllib.parse import quote_plus

import aiohttp
import aiokafka.errors as kafka_errors
import orjson
from aiokafka.abc import AbstractTokenProvider

_ANSWER_SECONDS_MAX = 10.0
_ANSWER_BYTES_MAX = 64 * 1024
_SHARE_OF_LIFE = 0.8
"""After so much of its life a token is renewed; while that fails it is used to its end."""
_TOKEN = re.compile(r"[A-Za-z0-9._~+/-]+=*")
"""RFC 6750, 2.1. Kafka's message would take other characters for its own (RFC 7628, 3.1)."""
_ERRORS = frozenset({"invalid_client", "invalid_grant", "invalid_request", "invalid_scope", "unauthorized_client"})
"""RFC 6749, 5.2. Of what an endpoint says nothing else is shown."""


class TokenEndpointSilentError(kafka_errors.KafkaConnectionError):
    """The token endpoint does not answer as one; the message says what to look at."""


class TokenDeniedError(kafka_errors.KafkaError):
    """The token endpoint gives us no token; the message says why."""


class _Token(NamedTuple):
    text: str
    renew_at: float
    ends_at: float


class ClientCredentials(AbstractTokenProvider):
    """Asks a token endpoint, as a client with a secret.

    It is used from several event loops; where two ask at the same time, two tokens are fetched.

    Args:
        endpoint: Its URL, with https.
        client_id: Who we are there.
        secret: Gives the secret, read anew whenever a token is fetched.
        scope: What is asked for; None leaves it to the endpoint.
        tls: Whom to trust as the endpoint.
        clock: Seconds that never go back.
    """

    source = "from G9603_OAUTH_TOKEN_ENDPOINT"

    def __init__(  # noqa: PLR0913 - a client of OAuth 2.0 has so many parameters
        self,
        endpoint: str,
        *,
        client_id: str,
        secret: Callable[[], str],
        scope: str | None,
        tls: ssl.SSLContext,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._endpoint = endpoint
        self._client_id = client_id
        self._secret = secret
        self._scope = scope
        self._tls = tls
        self._clock = clock
        self._token: _Token | None = None

    async def token(self) -> str:
        """A token that holds for a while.

        Raises:
            TokenDeniedError: The endpoint does not give us one.
            TokenEndpointSilentError: It does not answer, or not as a token endpoint.
            CredentialsRefusedError: The file of the secret is not fit.
        """
        held, now = self._token, self._clock()
        if held is not None and now < held.renew_at:
            return held.text
        try:
            self._token = fetched = await self._fetched(now)
        except TokenEndpointSilentError:
            if held is not None and now < held.ends_at:
                return held.text
            raise
        return fetched.text

    async def _fetched(self, now: float) -> _Token:
        form = {"grant_type": "client_credentials"} | ({"scope": self._scope} if self._scope else {})
        # RFC 6749, 2.3.1: both are form-encoded first.
        login = aiohttp.encode_basic_auth(quote_plus(self._client_id), quote_plus(self._secret()))
        try:
            async with (
                aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(_ANSWER_SECONDS_MAX)) as session,
                session.post(
                    self._endpoint,
                    data=form,
                    headers={"Authorization": login, "Accept": "application/json"},
                    ssl=self._tls,
                    allow_redirects=False,  # the secret is for this address alone
                ) as answer,
            ):
                status, body = answer.status, await _beginning(answer.content)
        except (aiohttp.ClientError, OSError) as error:
            message = f"The token endpoint {self._endpoint} cannot be asked ({type(error).__name__})."
            raise TokenEndpointSilentError(message) from None
        return self._read(status, body, now)

    def _read(self, status: int, body: bytes, now: float) -> _Token:
        told = _object(body)
        if status in {HTTPStatus.BAD_REQUEST, HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
            word = str(told.get("error"))
            message = (
                f"The token endpoint {self._endpoint} gives us no token ({word if word in _ERRORS else int(status)}): "
                "check G9603_OAUTH_CLIENT_ID, G9603_OAUTH_CLIENT_SECRET_FILE and G9603_OAUTH_SCOPE."
            )
            raise TokenDeniedError(message)
        text, seconds = told.get("access_token"), told.get("expires_in", 0)
        is_token = isinstance(text, str) and _TOKEN.fullmatch(text) and isinstance(seconds, int | float)
        if status != HTTPStatus.OK or not is_token or str(told.get("token_type")).lower() != "bearer":
            message = f"What answers at {self._endpoint} is no token endpoint: no bearer token comes ({int(status)})."
            raise TokenEndpointSilentError(message)
        return _Token(str(text), now + _SHARE_OF_LIFE * seconds, now + seconds)


async def _beginning(content: aiohttp.StreamReader) -> bytes:
    """As much of *content* as a token may take; what is cut off is no JSON."""
    body = bytearray()
    async for chunk in content.iter_any():
        body += chunk
        if len(body) > _ANSWER_BYTES_MAX:
            break
    return bytes(body)


def _object(body: bytes) -> dict[str, Any]:
    try:
        told = orjson.loads(body)
    except orjson.JSONDecodeError:
        return {}
    return told if isinstance(told, dict) else {}
