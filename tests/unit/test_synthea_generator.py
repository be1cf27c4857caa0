"""Synthea is run once per population, its result is kept whole or not at all, and no name leaves its log."""

from pathlib import Path

import pytest

from streams.demo.synthea.generator import SyntheaUnavailableError, generate_bundles

# A Maven that fetches one jar, and a Java that notes how it was called, says what Synthea says, and does
# what the test wants.
_MAVEN = """\
#!/bin/sh
for argument; do case $argument in -DoutputDirectory=*) touch "${argument#*=}/synthea.jar";; esac; done
"""
_JAVA = """\
#!/bin/sh
echo "$@" >> "{calls}"
for argument; do case $argument in --exporter.baseDirectory=*) output=${{argument#*=}};; esac; done
echo "Loading module modules/wellness_encounters.json"
echo "1 -- Invented1 Person2 (48 y/o M) Winchendon, Massachusetts  (71763)"
{script}
"""
_WRITE_TWO = 'mkdir "$output/fhir"; echo "{}" > "$output/fhir/b.json"; echo "{}" > "$output/fhir/a.json"'


class Machine:
    """A user's machine with programs of our making."""

    def __init__(self, folder: Path) -> None:
        self.programs = folder / "bin"
        self.calls = folder / "calls"
        self.bundles = folder / "bundles"
        self.programs.mkdir()
        self.add("mvn", _MAVEN)

    def add(self, name: str, script: str) -> None:
        """Put a program on the PATH."""
        program = self.programs / name
        program.write_text(script, "utf-8")
        program.chmod(0o755)

    def add_java(self, script: str) -> None:
        """Put a Java on the PATH that runs *script* with ``$output`` set to Synthea's folder."""
        self.add("java", _JAVA.format(calls=self.calls, script=script))

    def runs(self) -> list[str]:
        """The arguments of each run of Java."""
        return self.calls.read_text("utf-8").splitlines()


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    """A machine without Java, and with an empty cache."""
    made = Machine(tmp_path)
    for name in ("sh", "mkdir", "touch", "rm", "sleep"):
        made.add(name, f'#!/bin/sh\nPATH=/usr/bin:/bin exec {name} "$@"\n')
    monkeypatch.setenv("PATH", str(made.programs))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return made


def test_a_population_is_generated_once(machine: Machine) -> None:
    """The second call finds what the first one made, in the same order, without Synthea."""
    machine.add_java(_WRITE_TWO)

    first = generate_bundles(machine.bundles / "1", adults=2, seed=5, on_progress=print)
    second = generate_bundles(machine.bundles / "2", adults=2, seed=5, on_progress=print)

    assert [path.name for path in first] == [path.name for path in second] == ["a.json", "b.json"]
    assert len(machine.runs()) == 1


@pytest.mark.parametrize(("adults", "seed"), [(3, 5), (2, 6)])
def test_another_population_is_generated_anew(machine: Machine, adults: int, seed: int) -> None:
    """Another size or seed is another population."""
    machine.add_java(_WRITE_TWO)

    generate_bundles(machine.bundles, adults=2, seed=5, on_progress=print)
    generate_bundles(machine.bundles, adults=adults, seed=seed, on_progress=print)

    assert len(machine.runs()) == 2


def test_nothing_is_left_to_chance(machine: Machine) -> None:
    """Synthea is told both seeds, both dates, the time zone and the place: all that its patients depend on."""
    machine.add_java(_WRITE_TWO)

    generate_bundles(machine.bundles, adults=2, seed=5, on_progress=print)

    (run,) = machine.runs()
    assert "-p 2 -a 18-80 -s 5 -cs 5 -r 20260101 -e 20260101 " in run
    assert "-Duser.timezone=America/New_York " in run
    assert run.endswith(" Massachusetts")


@pytest.mark.parametrize("script", ["echo Out of memory; exit 3", _WRITE_TWO + "; exit 3", "exit 0"])
def test_a_run_that_failed_leaves_nothing(machine: Machine, script: str) -> None:
    """A failure is told with what Synthea said, without the patients' names; the next call starts anew."""
    machine.add_java(script)

    with pytest.raises(SyntheaUnavailableError, match=r"It needs Java 11 or newer(.|\n)*Loading module") as failure:
        generate_bundles(machine.bundles, adults=2, seed=5, on_progress=print)

    assert "Invented1" not in str(failure.value)
    machine.add_java(_WRITE_TWO)
    assert len(generate_bundles(machine.bundles, adults=2, seed=5, on_progress=print)) == 2


def test_progress_is_a_count(machine: Machine) -> None:
    """While Synthea runs, the user is told how many patients there are, and no name."""
    lines = "".join(f'echo "{n} -- Invented{n} Person (30 y/o F) Boston, Massachusetts  (1)"\n' for n in range(2, 12))
    # The run ends when the test has been told: it waits for the file, not for a time.
    heard = machine.programs / "heard"
    machine.add_java(f"{lines}while [ ! -e {heard} ]; do sleep 0.05; done\n{_WRITE_TWO}")
    told: list[str] = []

    def listen(sentence: str) -> None:
        told.append(sentence)
        if "11 of 11" in sentence:
            heard.touch()

    generate_bundles(machine.bundles, adults=11, seed=5, on_progress=listen)

    assert told[-1] == "Synthea wrote 11 of 11 lives."
    assert "Invented" not in " ".join(told)


def test_no_java(machine: Machine) -> None:
    """Without Java the user reads what to install, before anything is fetched."""
    with pytest.raises(SyntheaUnavailableError, match="there is no `java` on the PATH: install one"):
        generate_bundles(machine.bundles, on_progress=print)
