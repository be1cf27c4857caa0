"""Where does a secret come from? From a file or from the environment, never from a command line."""

import stat
from pathlib import Path

from pydantic import SecretStr

_OPEN_TO_OTHERS = stat.S_IROTH | stat.S_IWOTH
_SECRET_BYTES_MAX = 64 * 1024


class SecretRefusedError(Exception):
    """A secret is given twice, cannot be read, is open to others or is too short; the message never shows it."""


def read_secret(setting: str, value: SecretStr | None, file: Path | None, *, bytes_min: int) -> bytes | None:
    """The secret in *value* or in *file*; None where neither is given.

    Args:
        setting: The environment variable; that of the file is ``<setting>_FILE``.
        value: What the variable holds.
        file: What the file's variable names.
        bytes_min: A shorter one could be guessed.

    Raises:
        SecretRefusedError: Both are given, the file is not fit, or the secret is too short.
    """
    if value is None and file is None:
        return None
    if value is not None and file is not None:
        message = f"{setting} and {setting}_FILE are both set: set one of them; the file is better."
        raise SecretRefusedError(message)
    secret = read_secret_file(f"{setting}_FILE", file) if file is not None else _bytes_of(value)
    if len(secret) < bytes_min:
        message = (
            f"{setting}{'_FILE' if file else ''}: {len(secret)} bytes are too few for a secret; {bytes_min} are the "
            "least. `openssl rand -hex 32` makes a good one."
        )
        raise SecretRefusedError(message)
    return secret


def read_secret_file(setting: str, path: Path) -> bytes:
    """What the file *path*, which *setting* names, holds; white space around it is dropped.

    Raises:
        SecretRefusedError: It is missing, empty, or open to others.
    """
    require_private(setting, path)
    try:
        with path.open("rb") as file:
            secret = file.read(_SECRET_BYTES_MAX).strip()
    except OSError as error:
        raise SecretRefusedError(_unreadable(setting, path, error)) from None
    if not secret:
        message = f"{setting}: {path} is empty."
        raise SecretRefusedError(message)
    return secret


def require_private(setting: str, path: Path) -> None:
    """Refuse a secret that everybody on the machine could read.

    Its group may: that is how an orchestrator hands a secret to a process that is not root.

    Raises:
        SecretRefusedError: Others than owner and group may read or write it, or it is not there.
    """
    try:
        mode = path.stat().st_mode
    except OSError as error:
        raise SecretRefusedError(_unreadable(setting, path, error)) from None
    if mode & _OPEN_TO_OTHERS:
        message = f"{setting}: everybody on this machine may read or change {path}. Take that away: chmod o-rw {path}"
        raise SecretRefusedError(message)


def _bytes_of(value: SecretStr | None) -> bytes:
    return value.get_secret_value().encode("utf-8", "surrogateescape") if value is not None else b""


def _unreadable(setting: str, path: Path, error: OSError) -> str:
    return f"{setting}: {path} cannot be read ({(error.strerror or 'no such file').lower()})."
