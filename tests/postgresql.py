"""A PostgreSQL of its own for a test, as Debian packages it: reached by a socket in its folder, and by nobody else."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_UNPRIVILEGED = "postgres" if os.geteuid() == 0 else None
"""PostgreSQL does not run as root."""


@contextmanager
def running_postgresql(folder: Path) -> Iterator[str]:
    """The URL of an empty database, for as long as the block lasts; *folder* is empty, and its path short."""
    programs = _programs()
    if _UNPRIVILEGED is not None:
        shutil.chown(folder, _UNPRIVILEGED)
        folder.chmod(0o755)
    data = folder / "data"
    _run(programs / "initdb", "--pgdata", data, "--auth", "trust", "--username", "billing", "--no-sync")
    options = f"-k {folder} -c listen_addresses='' -c fsync=off"
    control = (programs / "pg_ctl", "--pgdata", data, "--wait", "--silent")
    _run(*control, "--options", options, "--log", folder / "log", "start")
    try:
        yield f"postgresql://billing@/postgres?host={folder}"
    finally:
        _run(*control, "--mode", "immediate", "stop")


def _programs() -> Path:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb")) or [Path(shutil.which("initdb") or "")]
    assert found[-1].is_file(), "The tests need PostgreSQL: apt-get install postgresql"
    return found[-1].parent


def _run(*command: str | Path) -> None:
    # To a file or to nothing: the server would keep a pipe open.
    subprocess.run(command, check=True, user=_UNPRIVILEGED, cwd="/", stdout=subprocess.DEVNULL)
