"""What the settings say of the brokers' door: what goes together, and what is refused in which words."""

import pytest

from streams.settings import Settings, SettingsRefusedError, load_settings, without_security

SCRAM = {
    "G9603_SECURITY_PROTOCOL": "SASL_SSL",
    "G9603_SASL_MECHANISM": "SCRAM-SHA-512",
    "G9603_SASL_USERNAME": "worker",
    "G9603_SASL_PASSWORD": "correct-horse",
}
TOKEN = {
    "G9603_SECURITY_PROTOCOL": "SASL_SSL",
    "G9603_SASL_MECHANISM": "OAUTHBEARER",
    "G9603_OAUTH_TOKEN_FILE": "token",
}
ENDPOINT = {
    "G9603_SECURITY_PROTOCOL": "SASL_SSL",
    "G9603_SASL_MECHANISM": "OAUTHBEARER",
    "G9603_OAUTH_TOKEN_ENDPOINT": "https://login.example/token",
    "G9603_OAUTH_CLIENT_ID": "worker",
    "G9603_OAUTH_CLIENT_SECRET": "correct-horse",
}
CERTIFICATE = {
    "G9603_SECURITY_PROTOCOL": "SSL",
    "G9603_TLS_CERTIFICATE_FILE": "worker.pem",
    "G9603_TLS_KEY_FILE": "worker.key",
}
WAYS = {"password": SCRAM, "token": TOKEN, "endpoint": ENDPOINT, "certificate": CERTIFICATE}


def loaded(monkeypatch: pytest.MonkeyPatch, variables: dict[str, str]) -> Settings:
    """The settings of an environment with these variables."""
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    return load_settings()


@pytest.mark.parametrize(
    "variables", [{}, SCRAM, TOKEN, ENDPOINT, CERTIFICATE], ids=["none", "password", "token", "endpoint", "certificate"]
)
def test_the_environment_of_a_process_of_ours_says_the_same(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str]
) -> None:
    """What a worker of the demonstration is given reads as what the demonstration was given, the password included."""
    settings = loaded(monkeypatch, variables)

    assert loaded(monkeypatch, settings.environment()) == settings
    assert variables.items() <= settings.environment().items()


@pytest.mark.parametrize(
    ("variables", "words"),
    [
        ({**SCRAM, "G9603_SECURITY_PROTOCOL": "PLAINTEXT"}, "There is no SASL without TLS."),
        ({**SCRAM, "G9603_SECURITY_PROTOCOL": "SSL"}, "set G9603_SECURITY_PROTOCOL=SASL_SSL"),
        ({**SCRAM, "G9603_SECURITY_PROTOCOL": "SASL_PLAINTEXT"}, "should be 'PLAINTEXT', 'SSL' or 'SASL_SSL'"),
        ({**TOKEN, "G9603_SECURITY_PROTOCOL": "PLAINTEXT"}, "G9603_OAUTH_TOKEN_FILE"),
        ({**CERTIFICATE, "G9603_SECURITY_PROTOCOL": "PLAINTEXT"}, "would protect nothing"),
        ({"G9603_TLS_CA_FILE": "ca.pem"}, "would protect nothing"),
        ({"G9603_SECURITY_PROTOCOL": "SSL", "G9603_TLS_KEY_FILE": "k"}, "A key needs its certificate"),
        ({"G9603_SECURITY_PROTOCOL": "SASL_SSL"}, "SASL_SSL needs G9603_SASL_MECHANISM"),
        ({**SCRAM, "G9603_SASL_USERNAME": ""}, "SCRAM-SHA-512 needs G9603_SASL_USERNAME"),
        ({**SCRAM, "G9603_SASL_PASSWORD": ""}, "either G9603_SASL_PASSWORD_FILE or G9603_SASL_PASSWORD"),
        ({**SCRAM, "G9603_SASL_PASSWORD_FILE": "f"}, "either G9603_SASL_PASSWORD_FILE or G9603_SASL_PASSWORD"),
        ({**TOKEN, "G9603_OAUTH_TOKEN_FILE": ""}, "OAUTHBEARER needs G9603_OAUTH_TOKEN_FILE"),
        ({**ENDPOINT, **TOKEN}, "not both"),
        (
            {**ENDPOINT, "G9603_OAUTH_CLIENT_ID": ""},
            "A token endpoint needs G9603_OAUTH_TOKEN_ENDPOINT, ",
        ),
        ({**ENDPOINT, "G9603_OAUTH_CLIENT_SECRET_FILE": "f"}, "either G9603_OAUTH_CLIENT_SECRET_FILE or"),
        ({**ENDPOINT, "G9603_OAUTH_TOKEN_ENDPOINT": "http://login.example/token"}, "G9603_OAUTH_TOKEN_ENDPOINT: "),
        ({**ENDPOINT, "G9603_SECURITY_PROTOCOL": "SSL"}, "set G9603_SECURITY_PROTOCOL=SASL_SSL"),
        ({**SCRAM, "G9603_SASL_MECHANISM": "PLAIN"}, "should be 'SCRAM-SHA-512' or 'OAUTHBEARER'"),
    ],
)
def test_what_does_not_go_together_is_refused(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], words: str
) -> None:
    """The sentence names what to set, and never says the password."""
    with pytest.raises(SettingsRefusedError) as refused:
        loaded(monkeypatch, variables)

    assert words in str(refused.value)
    assert "correct-horse" not in str(refused.value)


def test_settings_do_not_tell_the_password(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither does what a log or a traceback would show of them."""
    settings = loaded(monkeypatch, SCRAM)

    assert "correct-horse" not in f"{settings} {settings!r} {settings.model_dump()} {settings.model_dump_json()}"


@pytest.mark.parametrize(
    "variables", [SCRAM, TOKEN, ENDPOINT, CERTIFICATE], ids=["password", "token", "endpoint", "certificate"]
)
def test_a_broker_of_our_own_is_told_no_credentials(monkeypatch: pytest.MonkeyPatch, variables: dict[str, str]) -> None:
    """The demonstration's own broker has no door, whatever the environment says of another one."""
    bare = load_settings()

    assert without_security(loaded(monkeypatch, variables)).environment() == bare.environment()
