"""Fetches the jars of a Java program with Maven, once, into the user's cache.

Jars need no installation: where there is Java, a folder of them is all that a real Kafka (or Synthea) takes.
"""

import fcntl
import hashlib
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import platformdirs

from streams.local_kafka.guarded_process import GuardedProcess

_DOWNLOAD_SECONDS_MAX = 900
_LOG_TAIL_CHARACTERS = 2000


class MavenUnavailableError(Exception):
    """The jars are not in the cache, and Maven or its network is missing; the message says what to do."""


def default_cache_dir() -> Path:
    """The folder for what can be fetched again, where the operating system keeps such things."""
    return platformdirs.user_cache_path("g9603", appauthor=False)


def fetch_jars(name: str, pom: str, *, cache_dir: Path, on_progress: Callable[[str], None]) -> Path:
    """The folder with the jars of *pom*'s dependencies, fetched on first use.

    The folder appears in one step, when it is complete: a download that was cut short leaves nothing that
    looks like one.  Its name holds a hash of *pom*, so another POM is another folder.  Of two processes that
    want it at the same time, one fetches and the other waits.

    Args:
        name: What the jars are, as the user will read it; also the beginning of the folder's name.
        pom: A Maven project whose runtime dependencies are wanted.
        cache_dir: Where the folder is, or will be; made if it is missing.
        on_progress: Told, in a sentence, what takes time.

    Raises:
        MavenUnavailableError: Maven is not installed, or could not fetch.
    """
    folder = cache_dir / f"{name}-{hashlib.sha256(pom.encode()).hexdigest()[:12]}"
    if folder.exists():
        return folder
    cache_dir.mkdir(parents=True, exist_ok=True)
    with _locked(cache_dir / f"{folder.name}.lock", name, on_progress):
        if not folder.exists():
            _download(name, pom, folder, on_progress)
    return folder


@contextmanager
def _locked(path: Path, name: str, on_progress: Callable[[str], None]) -> Iterator[None]:
    """Hold the lock at *path*; the kernel takes it back if this process dies."""
    with path.open("ab") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            on_progress(f"Waiting for another process that fetches {name}.")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _download(name: str, pom: str, folder: Path, on_progress: Callable[[str], None]) -> None:
    """Fetch into a folder beside *folder*, and rename that once it is complete."""
    maven = shutil.which("mvn")
    if maven is None:
        message = (
            f"{name} is fetched with Maven, and there is no `mvn` on the PATH: install Maven (most systems "
            "have a package `maven`) and try again."
        )
        raise MavenUnavailableError(message)
    on_progress(f"Fetching {name} with Maven into {folder.parent}, once; a minute or two.")
    partial = Path(tempfile.mkdtemp(prefix=f"{folder.name}.partial-", dir=folder.parent))
    try:
        (partial / "pom.xml").write_text(pom, encoding="utf-8")
        _copy_dependencies(maven, name, partial)
        partial.rename(folder)
    finally:
        shutil.rmtree(partial, ignore_errors=True)  # not there any more if all went well


def _copy_dependencies(maven: str, name: str, folder: Path) -> None:
    """Have *maven* put the jars of *folder*'s POM beside it."""
    goal = [maven, "-B", "-q", "-f", str(folder / "pom.xml"), "dependency:copy-dependencies"]
    options = [f"-DoutputDirectory={folder}", "-DincludeScope=runtime"]
    log_path = folder / "maven.log"
    with GuardedProcess([*goal, *options], folder=folder, log_path=log_path) as process:
        exit_code = process.wait(_DOWNLOAD_SECONDS_MAX)
    if exit_code == 0 and any(folder.glob("*.jar")):
        return
    unusual = {None: f"was not done after {_DOWNLOAD_SECONDS_MAX} s", 0: "found no jars"}
    said = log_path.read_text(encoding="utf-8", errors="replace").strip() or "(nothing)"
    message = (
        f"Maven {unusual.get(exit_code, 'failed')} while fetching {name}. Check that the network reaches "
        "Maven Central, or name a mirror in Maven's settings.xml, and try again. "
        f"Maven said:\n{said[-_LOG_TAIL_CHARACTERS:]}"
    )
    raise MavenUnavailableError(message)
