"""Coverage-guided fuzzing of everything that reads bytes from outside: ``make fuzz``.

Atheris (libFuzzer for Python) drives the targets of `tests/fuzz/targets.py`, one process each. It follows our own code;
of pydantic, msgspec and aiohttp, which are compiled or others', it sees the outcome only. The corpus grows under
``build/fuzz`` from the seeds of the targets and is not kept in the repository; what broke a promise is kept, as an
example in ``tests/unit/test_fuzz_targets.py``.
"""

import argparse
import importlib.util
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "build" / "fuzz"
_LENGTH_MAX = 4_096
_RSS_MEGABYTES_MAX = 2_048
_INPUT_SECONDS_MAX = 10
_NO_ATHERIS = (
    "atheris is not installed: it has wheels for Linux on x86-64 only. The same targets run under Hypothesis, without "
    "its guidance, in make test."
)


def main() -> int:
    """Fuzz, and say what was found; 1 where a promise was broken."""
    parser = argparse.ArgumentParser(prog="make fuzz", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seconds", type=int, default=60, help="for each target (default: %(default)s)")
    parser.add_argument("--target", action="append", help="only this one; may be given again")
    parser.add_argument("--input", type=Path, help="run one file through one target, and nothing else")
    parser.add_argument("--inside", help=argparse.SUPPRESS)
    arguments, of_fuzzer = parser.parse_known_args()
    if arguments.inside:
        _fuzz(arguments.inside, [sys.argv[0], *of_fuzzer])
    if importlib.util.find_spec("atheris") is None:
        sys.stderr.write(f"{_NO_ATHERIS}\n")
        return 69
    from tests.fuzz.targets import TARGETS  # noqa: PLC0415 - in the fuzzing process atheris must be there first

    names = arguments.target or list(TARGETS)
    if unknown := set(names) - set(TARGETS):
        parser.error(f"no such target: {', '.join(sorted(unknown))}; there are {', '.join(TARGETS)}")
    if arguments.input:
        TARGETS[names[0]].run(arguments.input.read_bytes())
        return 0
    for name in names:
        corpus = FOLDER / "corpus" / name
        corpus.mkdir(parents=True, exist_ok=True)
        for number, seed in enumerate(TARGETS[name].seeds):
            (corpus / f"seed-{number}").write_bytes(seed)
    broken = [name for name in names if not _survives(name, arguments.seconds)]
    sys.stdout.write(f"{len(names) - len(broken)} of {len(names)} targets kept their promise\n")
    return int(bool(broken))


def _survives(name: str, seconds: int) -> bool:
    """Whether *name* keeps its promise for so long; tells how far it went, or what broke it."""
    command = [
        *(sys.executable, "-m", "tests.fuzz", "--inside", name, str(FOLDER / "corpus" / name)),
        *(f"-max_total_time={seconds}", f"-max_len={_LENGTH_MAX}", f"-rss_limit_mb={_RSS_MEGABYTES_MAX}"),
        *(f"-timeout={_INPUT_SECONDS_MAX}", f"-artifact_prefix={FOLDER}/{name}-", "-print_final_stats=1"),
    ]
    log = FOLDER / f"{name}.log"
    with log.open("wb") as output:
        ended = subprocess.run(command, cwd=ROOT, stdout=output, stderr=subprocess.STDOUT, check=False)
    told = log.read_text(errors="replace")
    executed = told.rpartition("stat::number_of_executed_units:")[2].split("\n")[0].strip() or "?"
    covered = told.rpartition(" cov: ")[2].split(" ")[0]
    sys.stdout.write(
        f"{name:12} {executed:>10} inputs  {covered:>6} edges  {'kept' if not ended.returncode else 'BROKEN'}\n"
    )
    if ended.returncode:
        artifacts = sorted(path for path in FOLDER.glob(f"{name}-*") if path.is_file())
        sys.stdout.write(f"{told[-3_000:]}\nIts input: {', '.join(map(str, artifacts[-1:]))}; again with: ")
        sys.stdout.write(f'make fuzz ARGS="--target {name} --input FILE"\n')
    sys.stdout.flush()
    return not ended.returncode


def _fuzz(name: str, arguments: list[str]) -> None:
    import atheris  # noqa: PLC0415 - where it is installed

    with atheris.instrument_imports(include=["streams", "schemas"]):
        from tests.fuzz.targets import TARGETS  # noqa: PLC0415 - instrumented while it is imported
    atheris.Setup(arguments, TARGETS[name].run)
    atheris.Fuzz()


if __name__ == "__main__":
    sys.exit(main())
