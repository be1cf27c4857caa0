"""Secrets come from a file or from the environment, from one of them, and are never told."""

from pathlib import Path

import pytest
from pydantic import SecretStr

from streams.secret_text import SecretRefusedError, read_secret, read_secret_file
from streams.settings import Settings
from tests.secret_files import secret_file

SECRET = "0123456789abcdef"  # noqa: S105 - a test's own


def test_a_file_is_read_without_the_end_of_its_line(tmp_path: Path) -> None:
    """Editors and echo add one."""
    file = secret_file(tmp_path, f"{SECRET}\n")

    assert read_secret("G9603_X", None, file, bytes_min=16) == SECRET.encode()
    assert read_secret("G9603_X", SecretStr(SECRET), None, bytes_min=16) == SECRET.encode()
    assert read_secret("G9603_X", None, None, bytes_min=16) is None


@pytest.mark.parametrize(
    ("value", "content", "says"),
    [
        (SECRET, SECRET, "G9603_X and G9603_X_FILE are both set"),
        (None, None, "G9603_X_FILE: .* cannot be read"),
        (None, "too short", "G9603_X_FILE: 9 bytes are too few"),
        ("too short", "", "both set"),
    ],
)
def test_refusals(tmp_path: Path, value: str | None, content: str | None, says: str) -> None:
    """Each says which setting, and none shows what is in it."""
    file = tmp_path / "secret" if content is None else secret_file(tmp_path, content)

    with pytest.raises(SecretRefusedError, match=says) as refused:
        read_secret("G9603_X", SecretStr(value) if value else None, file, bytes_min=16)

    assert SECRET not in str(refused.value)


@pytest.mark.parametrize("mode", [0o400, 0o600, 0o440, 0o660])
def test_owner_and_group_may_read_a_secret(tmp_path: Path, mode: int) -> None:
    assert read_secret_file("G9603_X", secret_file(tmp_path, " correct-horse\n", mode)) == b"correct-horse"


@pytest.mark.parametrize("mode", [0o604, 0o602, 0o644, 0o666])
def test_a_secret_that_everybody_may_read_or_change_is_refused(tmp_path: Path, mode: int) -> None:
    with pytest.raises(SecretRefusedError, match=r"everybody on this machine .* chmod o-rw"):
        read_secret_file("G9603_X", secret_file(tmp_path, "correct-horse", mode))


def test_a_secret_that_is_not_there_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(SecretRefusedError, match=r"G9603_X: .*nowhere cannot be read"):
        read_secret_file("G9603_X", tmp_path / "nowhere")


def test_an_empty_secret_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SecretRefusedError, match="is empty"):
        read_secret_file("G9603_X", secret_file(tmp_path, " \n"))


def test_bytes_that_are_no_text_are_a_secret_too() -> None:
    """The environment hands them over as halves of characters (found by the fuzzer)."""
    assert read_secret("G9603_X", SecretStr(SECRET + "\udc80"), None, bytes_min=16) == SECRET.encode() + b"\x80"


def test_a_process_of_ours_is_given_the_secrets_themselves(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not the stars that a secret is shown as."""
    monkeypatch.setenv("G9603_WEB_TOKEN", SECRET)
    settings = Settings()

    assert settings.environment()["G9603_WEB_TOKEN"] == SECRET
    assert SECRET not in repr(settings) + settings.model_dump_json()
