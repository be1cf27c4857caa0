"""Where does a secret come from? From a file or from the environment, never from a command line."""

from pathlib import Path

from pydantic import SecretStr


class SecretRefusedError(Exception):
    """A secret is given twice, cannot be read or is too short; the message says which, and never what it is."""


def read_secret(setting: str, value: SecretStr | None, file: Path | None, *, bytes_min: int) -> bytes | None:
    """The secret in *value* or in *file*, without the line's end that editors add; None where neither is given.

    Args:
        setting: The environment variable; that of the file is ``<setting>_FILE``.
        value: What the variable holds.
        file: What the file's variable names.
        bytes_min: A shorter one could be guessed.

    Raises:
        SecretRefusedError: Both are given, the file cannot be read, or the secret is too short.
    """
    if value is None and file is None:
        return None
    if value is not None and file is not None:
        message = f"{setting} and {setting}_FILE are both set: set one of them; the file is better."
        raise SecretRefusedError(message)
    secret = _content(setting, file) if file is not None else _bytes_of(value)
    if len(secret) < bytes_min:
        message = (
            f"{setting}{'_FILE' if file else ''}: {len(secret)} bytes are too few for a secret; {bytes_min} are the "
            "least. `openssl rand -hex 32` makes a good one."
        )
        raise SecretRefusedError(message)
    return secret


def _bytes_of(value: SecretStr | None) -> bytes:
    return value.get_secret_value().encode("utf-8", "surrogateescape") if value is not None else b""


def _content(setting: str, file: Path) -> bytes:
    try:
        return file.read_bytes().rstrip(b"\r\n")
    except OSError as error:
        message = f"{setting}_FILE: {file} cannot be read ({error.strerror})."
        raise SecretRefusedError(message) from None
