"""A virtual environment for the engines in Python that this project does not use itself."""

import hashlib
import sys
import venv
from collections.abc import Callable
from pathlib import Path

from bench.engines.building import run_build

_ROOT = Path(__file__).parents[2]
_LOCK = _ROOT / "requirements" / "peers.lock"
_INSTALL_SECONDS_MAX = 600


def install(on_progress: Callable[[str], None]) -> None:
    """Make it, unless it is there and holds what the lock names.

    Raises:
        EngineUnavailableError: The packages cannot be installed.
    """
    folder = _folder()
    if (folder / "built").exists():
        return
    on_progress("Installing Quix Streams and Bytewax into an environment of their own, once.")
    venv.create(folder, clear=True, with_pip=True)
    run_build(
        [
            *(python(), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"),
            *("--require-hashes", "--requirement", str(_LOCK)),
        ],
        failure=f"The packages of {_LOCK.name} could not be installed. pip said:",
        seconds_max=_INSTALL_SECONDS_MAX,
    )
    (folder / "built").touch()


def python() -> str:
    """Its interpreter."""
    return str(_folder() / "bin" / "python")


def _folder() -> Path:
    """Another for another lock, or another Python."""
    known_by = f"{sys.version}\n".encode() + _LOCK.read_bytes()
    return _ROOT / "build" / "peers" / f"python-{hashlib.sha256(known_by).hexdigest()[:12]}"
