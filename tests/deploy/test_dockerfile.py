"""What the Dockerfile promises, as far as it can be read; `make image-check` carries it out."""

import importlib.util
import re

from streams.worker.tuning import Tuning
from tests.deploy.dockerfile import ROOT, read_dockerfile

ARGUMENTS, STAGES = read_dockerfile()
IMAGE = STAGES[-1]
_SECONDS = re.compile(r"^(\d+)s$")


def test_the_image_starts_from_a_named_python() -> None:
    """One version of Python and of Debian, not whatever is the latest; and slim, which has no compiler."""
    assert re.fullmatch(r"python:3\.\d+-slim-[a-z]+", ARGUMENTS["PYTHON_IMAGE"])
    assert {stage.base for stage in STAGES} == {ARGUMENTS["PYTHON_IMAGE"]}


def test_nothing_is_installed_that_no_lock_pins() -> None:
    """Each install checks hashes and compiles nothing, or takes only what an earlier stage built."""
    installs = [
        step for stage in STAGES for run in stage.values("RUN") for step in run.split("&&") if " install " in step
    ]

    pips = [step for step in installs if "pip" in step]
    assert len(pips) == 3
    for step in pips:
        assert "--no-index" in step or {"--require-hashes", "--only-binary"} <= set(step.split())
    assert not any("apt-get" in run for stage in STAGES for run in stage.values("RUN"))


def test_what_is_copied_is_let_in() -> None:
    """Everything else stays out of the build: no secret of a working copy gets into a layer."""
    ignored = (ROOT / ".dockerignore").read_text().splitlines()
    let_in = {path for line in ignored if line.startswith("!") for path in ROOT.glob(line[1:])}
    copied = [v.split()[:-1] for stage in STAGES for v in stage.values("COPY") if not v.startswith("--from")]

    assert "*" in ignored
    assert {ROOT / name for names in copied for name in names} <= let_in


def test_the_account_is_a_number_and_not_root() -> None:
    """Kubernetes can tell that it is not root (runAsNonRoot) only by a number."""
    (user,) = IMAGE.values("USER")

    assert re.fullmatch(r"[1-9]\d+:[1-9]\d+", user)


def test_what_is_written_is_named() -> None:
    """The only volume is where local state is."""
    (volume,) = IMAGE.values("VOLUME")

    assert f"G9603_DATA_DIR={volume}" in IMAGE.values("ENV")[0]


def test_the_health_check_is_no_more_hasty_than_the_watchdog() -> None:
    """The event loop may stand still for some time before anything is wrong; and what is run exists."""
    options, command = IMAGE.health_check
    interval = int(_SECONDS.sub(r"\1", options["interval"]))

    assert interval * int(options["retries"]) > Tuning().loop_stall_seconds
    assert command[:2] == ["python", "-m"]
    assert importlib.util.find_spec(command[2]) is not None
