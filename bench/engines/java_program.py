"""Builds the engines of ``bench/peers/`` with Maven, when one is first chosen."""

import hashlib
import shutil
from collections.abc import Callable
from pathlib import Path

from bench.engines.building import run_build
from bench.engines.engine import EngineUnavailableError

_ROOT = Path(__file__).parents[2]
_SOURCES = _ROOT / "bench" / "peers"
_BUILD = _ROOT / "build" / "peers"
_BUILD_SECONDS_MAX = 900
_HEAP = "-Xmx2g"


def build(module: str, on_progress: Callable[[str], None]) -> None:
    """Build *module*, a folder of ``bench/peers/``, unless its sources are those of the last time.

    Raises:
        EngineUnavailableError: Maven or the Java compiler is missing, or the build fails.
    """
    folder = _folder(module)
    if (folder / "built").exists():
        return
    maven = shutil.which("mvn")
    if maven is None or shutil.which("javac") is None:
        message = (
            f"{module} is built with Maven and a Java compiler, and `mvn` or `javac` is not on the PATH: install both "
            "(packages such as `maven` and `default-jdk-headless`)."
        )
        raise EngineUnavailableError(message)
    on_progress(f"Building {module} with Maven, once; a minute or two.")
    run_build(
        [
            *(maven, "-B", "-q", "-f", str(_SOURCES / "pom.xml"), "-pl", module, "-am"),
            *("-Dmaven.test.skip", f"-Dpeers.build={folder}", "package"),
        ],
        failure=f"Maven could not build {module}. It said:",
        seconds_max=_BUILD_SECONDS_MAX,
    )
    (folder / "built").touch()


def command(module: str, main_class: str, *options: str) -> list[str]:
    """How the program of a module that was built is started."""
    folder = _folder(module) / module
    log = "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn"
    return ["java", _HEAP, log, *options, "-cp", f"{folder}/{module}-1.jar:{folder}/libraries/*", main_class]


def _folder(module: str) -> Path:
    """Another for other sources."""
    digest = hashlib.sha256()
    for path in sorted(path for path in _SOURCES.rglob("*") if path.is_file()):
        digest.update(f"{path.relative_to(_SOURCES)}\0".encode() + path.read_bytes() + b"\0")
    return _BUILD / f"{module}-{digest.hexdigest()[:12]}"
