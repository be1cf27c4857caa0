"""Runs MITRE's Synthea, the generator of synthetic patients, and keeps what it wrote.

A population depends on its size, its seed and Synthea's version, and on nothing else: both seeds, the dates (an
end date left to Synthea is the day of the run) and the time zone are given. Tried with one, two and four threads
and in two time zones: the files are the same to the byte.
"""

import hashlib
import re
import shutil
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from streams.local_kafka.guarded_process import GuardedProcess
from streams.local_kafka.maven import default_cache_dir, fetch_jars

SYNTHEA_VERSION = "3.3.0"

_POM = f"""\
<project>
  <modelVersion>4.0.0</modelVersion>
  <groupId>g9603</groupId>
  <artifactId>synthea-patients</artifactId>
  <version>1</version>
  <packaging>pom</packaging>
  <dependencies>
    <dependency>
      <groupId>org.mitre.synthea</groupId>
      <artifactId>synthea</artifactId>
      <version>{SYNTHEA_VERSION}</version>
    </dependency>
  </dependencies>
</project>
"""

_TODAY = "20260101"
_STATE = "Massachusetts"
_AGES = "18-80"
_SETTINGS = {
    "exporter.years_of_history": "10",
    # Of the dead it would write the last ten years of their lives, and some died in 1966.
    "generate.only_alive_patients": "true",
    # What is not mapped is not written: a third of the time less, and half of the size.
    "exporter.fhir.included_resources": "Patient,Encounter,Observation,Procedure,Claim",
    "exporter.hospital.fhir.export": "false",
    "exporter.practitioner.fhir.export": "false",
    "exporter.metadata.export": "false",
    "exporter.use_uuid_filenames": "true",  # or files would be called after the patients
}
# The time zone of Massachusetts, for a date of service is a local date.
_JAVA_OPTIONS = ("-Duser.timezone=America/New_York", "-XX:+UseSerialGC", "-Xmx2g")

_GENERATION_SECONDS_MAX = 900
_POLL_SECONDS = 0.5
_PATIENTS_PER_REPORT = 10
_LOG_TAIL_LINES = 12
_PATIENT_LINE = re.compile(r"^\d+ -- .*$", re.MULTILINE)


class SyntheaUnavailableError(Exception):
    """Synthea did not run, or not to its end; the message says what to do."""


def generate_bundles(
    directory: Path, *, adults: int = 60, seed: int = 9603, on_progress: Callable[[str], None]
) -> list[Path]:
    """Write the FHIR bundles of *adults* living patients into *directory*, one file each.

    They are generated on first use, which takes half a minute to a minute on two cores, and kept in the user's cache
    as an archive: the next call with the same arguments takes a second.

    Args:
        directory: Where the bundles are wanted, in a folder of their own.
        adults: How many patients, 18 to 80 years old.
        seed: Of the patients and of their clinicians.
        on_progress: Told, in a sentence, what takes time.

    Returns:
        The files, in an order that does not change.

    Raises:
        MavenUnavailableError: Synthea's jars are not in the user's cache, and could not be fetched.
        SyntheaUnavailableError: There is no Java, or Synthea failed.
    """
    name = f"synthea-{SYNTHEA_VERSION}"
    arguments = _arguments(adults, seed)
    # With other settings it is another population, and another archive.
    population = f"{name}-patients-{hashlib.sha256(repr((_JAVA_OPTIONS, arguments)).encode()).hexdigest()[:12]}"
    archive = default_cache_dir() / f"{population}.zip"
    if not archive.exists():
        java = _java()
        jars = fetch_jars(name, _POM, cache_dir=archive.parent, on_progress=on_progress)
        on_progress(f"Starting Synthea {SYNTHEA_VERSION} for {adults} patients, once; a minute or so.")
        command = [java, *_JAVA_OPTIONS, "-cp", f"{jars}/*", "App", *arguments]
        _generate(command, archive, lambda count: on_progress(f"Synthea wrote {count} of {adults} lives."))
    shutil.unpack_archive(archive, directory / population)
    return sorted((directory / population).glob("*.json"))


def _java() -> str:
    java = shutil.which("java")
    if java is None:
        message = (
            "Synthea needs Java 11 or newer, and there is no `java` on the PATH: install one (a package such as "
            "`default-jre-headless`), or run the demonstration on its own health system."
        )
        raise SyntheaUnavailableError(message)
    return java


def _arguments(adults: int, seed: int) -> list[str]:
    """All that a population depends on."""
    seeds = ["-s", str(seed), "-cs", str(seed)]
    dates = ["-r", _TODAY, "-e", _TODAY]
    settings = [f"--{name}={value}" for name, value in _SETTINGS.items()]
    return ["-p", str(adults), "-a", _AGES, *seeds, *dates, *settings]


def _generate(command: list[str], archive: Path, on_count: Callable[[int], None]) -> None:
    """Make *archive*, which appears in one step: a run that was cut short leaves nothing that looks like one."""
    with tempfile.TemporaryDirectory(prefix=f"{archive.stem}.partial-", dir=archive.parent) as folder:
        partial = Path(folder)
        log_path = partial / "synthea.log"
        command = [*command, f"--exporter.baseDirectory={partial}", _STATE]
        with GuardedProcess(command, folder=partial, log_path=log_path) as process:
            exit_code = _wait(process, log_path, on_count)
        bundles = partial / "fhir"
        if exit_code != 0 or not any(bundles.glob("*.json")):
            raise SyntheaUnavailableError(_failure(exit_code, log_path))
        Path(shutil.make_archive(str(partial / "bundles"), "zip", bundles)).replace(archive)


def _wait(process: GuardedProcess, log_path: Path, on_count: Callable[[int], None]) -> int | None:
    """Synthea's exit code, or None where it takes too long."""
    told = 0
    gives_up_at = time.monotonic() + _GENERATION_SECONDS_MAX
    while (exit_code := process.wait(_POLL_SECONDS)) is None and time.monotonic() < gives_up_at:
        # Synthea tells each patient's name; the count is all that is passed on.
        count = len(_PATIENT_LINE.findall(_text(log_path)))
        if count >= told + _PATIENTS_PER_REPORT:
            told = count
            on_count(count)
    return exit_code


def _failure(exit_code: int | None, log_path: Path) -> str:
    how = {None: f"was not done after {_GENERATION_SECONDS_MAX} s", 0: "wrote no patients"}
    said = _PATIENT_LINE.sub("", _text(log_path)).split("\n")
    tail = "\n".join([line for line in said if line][-_LOG_TAIL_LINES:]) or "(nothing)"
    return (
        f"Synthea {how.get(exit_code, 'failed')}. It needs Java 11 or newer and 2 GB of memory; try again, or run "
        f"the demonstration on its own health system. Synthea said:\n{tail}"
    )


def _text(log_path: Path) -> str:
    return log_path.read_text(encoding="utf-8", errors="replace")
