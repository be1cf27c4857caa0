"""Jars are fetched once, whole or not at all, and what stands in the way is told with its remedy."""

import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event

import pytest

from streams.local_kafka.maven import MavenUnavailableError, default_cache_dir, fetch_jars

PROJECT = Path(__file__).parents[2]
POM = "<project/>"

# A Maven to our order: it counts its runs, finds the folder to fill, and does what the test says.
_MAVEN = """\
#!/bin/sh
echo run >> "{folder}/runs"
for argument; do case $argument in -DoutputDirectory=*) output=${{argument#*=}};; esac; done
{script}
"""
_FETCH = """
import sys
from pathlib import Path
from streams.local_kafka.maven import fetch_jars
fetch_jars("kafka", sys.argv[1], cache_dir=Path(sys.argv[2]), on_progress=lambda _: None)
"""


@pytest.fixture
def cache_dir(tmp_path: Path) -> Path:
    """A cache folder that does not exist yet."""
    return tmp_path / "user" / "cache"


@pytest.fixture
def maven(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Path]:
    """Puts on the PATH an `mvn` that runs a script with `$output` set; gives the file with a line per run."""
    programs = tmp_path / "programs"
    programs.mkdir()
    monkeypatch.setenv("PATH", str(programs), prepend=":")

    def install(script: str) -> Path:
        (programs / "mvn").write_text(_MAVEN.format(folder=programs, script=script), encoding="utf-8")
        (programs / "mvn").chmod(0o755)
        return programs / "runs"

    return install


def fetch(cache_dir: Path, pom: str = POM, on_progress: Callable[[str], None] = lambda _: None) -> Path:
    return fetch_jars("kafka", pom, cache_dir=cache_dir, on_progress=on_progress)


def jars(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.glob("*.jar"))


def test_fetches_once(maven: Callable[[str], Path], cache_dir: Path) -> None:
    """The second call finds what the first has fetched, and says nothing."""
    runs = maven('touch "$output/a.jar" "$output/b.jar"')
    said: list[str] = []

    first, second = fetch(cache_dir, on_progress=said.append), fetch(cache_dir, on_progress=said.append)

    assert first == second
    assert jars(first) == ["a.jar", "b.jar"]
    assert runs.read_text(encoding="utf-8") == "run\n"
    assert said == [f"Fetching kafka with Maven into {cache_dir}, once; a minute or two."]


def test_other_dependencies_are_another_folder(maven: Callable[[str], Path], cache_dir: Path) -> None:
    """A changed POM is not answered with the jars of the old one."""
    maven('touch "$output/a.jar"')

    assert fetch(cache_dir, "<project>1</project>") != fetch(cache_dir, "<project>2</project>")


def test_maven_reads_the_pom(maven: Callable[[str], Path], cache_dir: Path) -> None:
    """Maven is given the very POM of the call."""
    maven('shift 3; cp "$1" "$output/a.jar"')

    assert (fetch(cache_dir) / "a.jar").read_text(encoding="utf-8") == POM


def test_who_comes_second_waits(maven: Callable[[str], Path], cache_dir: Path, tmp_path: Path) -> None:
    """Of two that want the same jars at once, one fetches, and both get them."""
    runs = maven(f'while [ ! -e "{tmp_path}/go" ]; do sleep 0.01; done; touch "$output/a.jar"')
    fetching, waiting = Event(), Event()
    with ThreadPoolExecutor() as threads:
        first = threads.submit(fetch, cache_dir, POM, lambda _: fetching.set())
        assert fetching.wait(10)
        second = threads.submit(fetch, cache_dir, POM, lambda _: waiting.set())
        assert waiting.wait(10)
        (tmp_path / "go").touch()

        assert first.result() == second.result()
    assert runs.read_text(encoding="utf-8") == "run\n"


def test_killed_fetch_leaves_no_half_folder(maven: Callable[[str], Path], cache_dir: Path, tmp_path: Path) -> None:
    """A process killed while it fetches leaves nothing that looks complete; the next one fetches anew."""
    maven(f'touch "$output/a.jar"; echo half > "{tmp_path}/half"; exec sleep 600')
    half = tmp_path / "half"
    subprocess.run(["mkfifo", half], check=True)
    with subprocess.Popen([sys.executable, "-c", _FETCH, POM, cache_dir], cwd=PROJECT) as process:
        assert half.read_text(encoding="utf-8") == "half\n"
        process.kill()
    maven('touch "$output/a.jar" "$output/b.jar"')

    assert jars(fetch(cache_dir)) == ["a.jar", "b.jar"]


@pytest.mark.parametrize(
    ("script", "told"),
    [
        (
            "echo '[ERROR] Unknown host repository'; exit 1",
            r"failed(?s:.*)network(?s:.*)Unknown host repository",
        ),
        ('touch "$output/a.jar"; exit 1', r"failed(?s:.*)\(nothing\)"),
        ("exit 0", "found no jars"),
    ],
    ids=["no-network", "half-way", "nothing-found"],
)
def test_failed_fetch_is_told_and_tried_again(
    maven: Callable[[str], Path], cache_dir: Path, script: str, told: str
) -> None:
    """When Maven fails, the user reads its words and the remedy, and nothing of it stays in the cache."""
    maven(script)
    with pytest.raises(MavenUnavailableError, match=f"^Maven {told}"):
        fetch(cache_dir)
    assert [path.suffix for path in cache_dir.iterdir()] == [".lock"]

    maven('touch "$output/b.jar"')
    assert jars(fetch(cache_dir)) == ["b.jar"]


def test_missing_maven_is_told(cache_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without Maven the user reads what to install."""
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(MavenUnavailableError, match="no `mvn` on the PATH: install Maven"):
        fetch(cache_dir)


def test_cached_jars_need_no_maven(
    maven: Callable[[str], Path], cache_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was fetched before is there without Maven and without a network."""
    maven('touch "$output/a.jar"')
    fetched = fetch(cache_dir)
    monkeypatch.setenv("PATH", str(tmp_path))

    assert fetch(cache_dir) == fetched


def test_default_cache_is_the_users(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The cache is where the operating system keeps the user's caches, under our name."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)

    assert default_cache_dir().is_relative_to(tmp_path)
    assert default_cache_dir().name == "g9603"
