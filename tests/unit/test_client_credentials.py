"""A token from a token endpoint: when it is asked for, and what becomes of an endpoint that gives none."""

from collections.abc import AsyncIterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from streams.kafka.client_credentials import ClientCredentials, TokenDeniedError, TokenEndpointSilentError
from streams.kafka.credentials import security_options
from streams.settings import Settings
from tests.certificates import Authority
from tests.secret_files import secret_file
from tests.token_endpoint import CLIENT_ID, CLIENT_SECRET, TokenEndpoint


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    """An authority of its own."""
    return Authority(tmp_path / "authority")


@pytest.fixture
async def endpoint(authority: Authority) -> AsyncIterator[TokenEndpoint]:
    """One that gives token-1, token-2 and so on, each for 100 s."""
    numbers = count(1)
    endpoint = TokenEndpoint(lambda: f"token-{next(numbers)}")
    async with endpoint.open(authority):
        yield endpoint


class Clock:
    """Stands still until it is told."""

    seconds = 0.0

    def __call__(self) -> float:
        """Now."""
        return self.seconds


def provider(endpoint: TokenEndpoint, authority: Authority, folder: Path, clock: Clock, **told: Any) -> Any:  # noqa: ANN401
    """What the clients of a worker with such settings are given, under a clock of ours."""
    usual: dict[str, Any] = {
        "security_protocol": "SASL_SSL",
        "sasl_mechanism": "OAUTHBEARER",
        "oauth_token_endpoint": endpoint.url,
        "oauth_ca_file": authority.ca_file,
        "oauth_client_id": CLIENT_ID,
        "oauth_client_secret_file": secret_file(folder, CLIENT_SECRET),
    }
    settings = Settings(**(usual | told))
    made = security_options(settings)["sasl_oauth_token_provider"]
    assert isinstance(made, ClientCredentials)
    made._clock = clock  # noqa: SLF001 - settings know of no clock
    return made


async def test_a_token_is_renewed_before_it_ends(endpoint: TokenEndpoint, authority: Authority, tmp_path: Path) -> None:
    """It is kept for four fifths of its life, whoever asks."""
    clock = Clock()
    tokens = provider(endpoint, authority, tmp_path, clock, oauth_scope="kafka")
    given = []
    for clock.seconds in (0.0, 79.0, 80.0, 159.0):
        given.append(await tokens.token())

    assert given == ["token-1", "token-1", "token-2", "token-2"]
    assert endpoint.scopes == ["kafka", "kafka"]


async def test_a_token_that_holds_outlives_a_silent_endpoint(
    endpoint: TokenEndpoint, authority: Authority, tmp_path: Path
) -> None:
    """Until its end; from then on connections fail, in words that say why."""
    clock = Clock()
    tokens = provider(endpoint, authority, tmp_path, clock)
    first = await tokens.token()
    endpoint.answer = 503, {}
    clock.seconds = 99.0

    assert await tokens.token() == first
    clock.seconds = 100.0
    with pytest.raises(TokenEndpointSilentError, match="is no token endpoint: no bearer token comes"):
        await tokens.token()


async def test_who_is_not_known_is_told_so(endpoint: TokenEndpoint, authority: Authority, tmp_path: Path) -> None:
    """The settings to look at, and not the secret; at once, although the last token would hold."""
    clock = Clock()
    tokens = provider(endpoint, authority, tmp_path, clock)
    await tokens.token()
    secret_file(tmp_path, "another secret")
    clock.seconds = 90.0

    with pytest.raises(TokenDeniedError) as denied:
        await tokens.token()
    assert "gives us no token (invalid_client): check G9603_OAUTH_CLIENT_ID" in str(denied.value)
    assert "another" not in str(denied.value)


@pytest.mark.parametrize(
    "answer",
    [
        (200, "no object"),
        (200, {"access_token": "a\x01b", "token_type": "Bearer"}),
        (200, {"access_token": "token", "token_type": "mac"}),
        (200, {"access_token": "token", "token_type": "Bearer", "expires_in": "soon"}),
        (307, {"access_token": "token", "token_type": "Bearer"}),
    ],
)
async def test_what_is_no_bearer_token_is_none(
    endpoint: TokenEndpoint, authority: Authority, tmp_path: Path, answer: tuple[int, Any]
) -> None:
    """Nothing of it goes to a broker."""
    endpoint.answer = answer

    with pytest.raises(TokenEndpointSilentError):
        await provider(endpoint, authority, tmp_path, Clock()).token()


async def test_an_endpoint_of_another_authority_hears_nothing(
    endpoint: TokenEndpoint, authority: Authority, tmp_path: Path
) -> None:
    """The secret is not shown to who cannot say who it is."""
    tokens = provider(endpoint, authority, tmp_path, Clock(), oauth_ca_file=Authority(tmp_path / "other").ca_file)

    with pytest.raises(TokenEndpointSilentError, match="cannot be asked"):
        await tokens.token()
    assert endpoint.asked == 0
