"""Who may ask: the worker refuses to be open to the network."""

from pathlib import Path

import pytest

from streams.settings import Settings
from streams.web.access import WebRefusedError, is_loopback, web_access
from tests.secret_files import secret_file
from tests.web.test_pages_over_sockets import TOKEN, certificate

EVERYWHERE = "0.0.0.0"  # noqa: S104 - what is to be refused


@pytest.mark.parametrize("host", [EVERYWHERE, "::", "192.0.2.1", "worker-1.example", "localhost.example", ""])
def test_beyond_loopback_without_tls_or_token(host: str) -> None:
    """The sentence names every way out."""
    with pytest.raises(WebRefusedError) as refused:
        web_access(Settings(web_host=host))

    for way_out in ("WEB_TLS_CERTIFICATE_FILE", "WEB_TOKEN_FILE", "127.0.0.1", "WEB_PORT=0"):
        assert way_out in str(refused.value)


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "::1", "localhost"])
def test_loopback_needs_nothing(host: str) -> None:
    """It is the default."""
    access = web_access(Settings(web_host=host))

    assert is_loopback(host)
    assert access is not None
    assert access.token is None


def test_with_a_token_or_tls_the_network_may_ask(tmp_path: Path) -> None:
    """Either will do."""
    file = secret_file(tmp_path, f"{TOKEN}\n")
    certificate_file, key_file = certificate(tmp_path)
    by_token = web_access(Settings(web_host=EVERYWHERE, web_token_file=file))
    by_tls = web_access(
        Settings(web_host=EVERYWHERE, web_tls_certificate_file=certificate_file, web_tls_key_file=key_file)
    )

    assert by_token is not None
    assert by_token.token == TOKEN.encode()
    assert by_tls is not None
    assert by_tls.tls is not None


def test_port_0_means_none() -> None:
    """Whatever else is set."""
    assert web_access(Settings(web_host=EVERYWHERE, web_port=0)) is None


@pytest.mark.parametrize("missing", ["web_tls_certificate_file", "web_tls_key_file"])
def test_half_of_tls_is_refused(tmp_path: Path, missing: str) -> None:
    """A forgotten half must not mean none."""
    files = dict(zip(("web_tls_certificate_file", "web_tls_key_file"), certificate(tmp_path), strict=True))
    del files[missing]

    with pytest.raises(WebRefusedError, match="belong together: set both"):
        web_access(Settings.model_validate(files))


def test_a_certificate_that_is_none(tmp_path: Path) -> None:
    """The sentence names both files; which of them it is OpenSSL does not say."""
    _certificate_file, key_file = certificate(tmp_path)

    with pytest.raises(WebRefusedError, match="cannot be used for TLS"):
        web_access(Settings(web_tls_certificate_file=key_file, web_tls_key_file=key_file))
    with pytest.raises(WebRefusedError, match="cannot be used for TLS: No such file"):
        web_access(Settings(web_tls_certificate_file=tmp_path / "none", web_tls_key_file=key_file))
