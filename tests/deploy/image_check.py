"""Would the image run? ``make image-check``: its steps, its account, its entry point and its health check.

On a real Kafka, with a root file system that cannot be written to. See `image_build` for what stands in for what.
"""

import http
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

from streams.local_kafka.local_broker import LocalKafka
from streams.local_kafka.loopback import free_ports
from tests.deploy.dockerfile import ROOT
from tests.deploy.image_build import ImageStage, build_image

_SECONDS_MAX = 60.0
_IMAGE_PYTHON = "3.12"
# Of what Faust is made there are wheels for no other processor; on those the image is emulated.
_PLATFORMS = ("manylinux_2_28_x86_64", "manylinux2014_x86_64")


def main() -> None:
    """Run every check; the first that fails ends it."""
    if sys.platform != "linux" or os.geteuid() != 0:
        sys.exit(
            "The image's instructions are carried out by mounts and chroot: run `make image-check` as root on Linux."
        )
    _resolve()
    _say("Every package is there for the image's Python, with its hash, and none has to be compiled.")
    folder = Path(tempfile.mkdtemp(prefix="g9603-image-"))
    try:
        image = build_image(folder)
        size = sum(path.stat().st_size for path in (image.layer / "opt").rglob("*") if path.is_file())
        image.seal()
        _check_rights(image)
        with LocalKafka(on_progress=_say) as kafka:
            _check_worker(image, kafka.bootstrap_servers)
    finally:
        subprocess.run(["umount", "--recursive", "--lazy", folder], check=False)
        shutil.rmtree(folder)
    _say(f"All is well. What the image adds to its base: {size / 2**20:.0f} MiB.")


def _resolve() -> None:
    command = [sys.executable, "-m", "pip", "install", "--dry-run", "--quiet", "--target", "build/nowhere", "--no-deps"]
    command += ["--only-binary", ":all:", "--python-version", _IMAGE_PYTHON, "--require-hashes"]
    for platform in _PLATFORMS:
        command += ["--platform", platform]
    subprocess.run([*command, "--requirement", "requirements/runtime.lock"], cwd=ROOT, check=True)


def _check_rights(image: ImageStage) -> None:
    """The account owns nothing, can write nowhere, and finds no pip."""
    for what, script in {
        "no pip": "! python -m pip --version && ! /opt/g9603/bin/python -m pip --version && ! python -m ensurepip",
        "not root": 'test "$(id -u)" = 9603',
        "no file of its own": "! find /opt/g9603 '(' -user 9603 -o -perm /022 ')' ! -type l | grep .",
        "cannot write to the program": "! touch /opt/g9603/written",
        "cannot write to /tmp": "! touch /tmp/written",
        "can write local state": "touch /var/lib/g9603/written && rm /var/lib/g9603/written",
    }.items():
        done = subprocess.run(image.inside(["/bin/sh", "-c", script]), capture_output=True, text=True, check=False)
        _require(done.returncode == 0, f"{what}\n{done.stderr}")
        _say(f"  {what}")


def _check_worker(image: ImageStage, bootstrap_servers: str) -> None:
    """Topics, a worker that becomes well, and its end by SIGTERM; nothing is written but local state."""
    (port,) = free_ports(1)
    environment = {"G9603_BOOTSTRAP_SERVERS": bootstrap_servers, "G9603_WEB_PORT": str(port)}
    entry = image.stage.command("ENTRYPOINT")
    _, asked = image.stage.health_check
    subprocess.run(image.inside([*entry, "topics", "--replication", "1"], environment), check=True)
    worker = subprocess.Popen(image.inside([*entry, *image.stage.command("CMD")], environment))
    try:
        _wait_for(0, image.inside(asked, environment), "the health check")
        ready = [*asked[:-1], "readyz"]
        _wait_for(0, image.inside(ready, environment), "the worker")
        _say(f"  the worker is alive and ready, asked by `{' '.join(asked)}`")
        for page in ("/", "/metrics"):  # the one needs files that the wheel has to carry
            with urllib.request.urlopen(f"http://127.0.0.1:{port}{page}") as answer:
                _require(answer.status == http.HTTPStatus.OK, f"{page} answers {answer.status}")
        stop = image.stage.values("STOPSIGNAL")[-1]
        worker.send_signal(signal.Signals[stop])
        _require(worker.wait(_SECONDS_MAX) == 0, f"the worker ended with {worker.returncode}")
        _say(f"  {stop}: exit code 0")
        _wait_for(1, image.inside(asked, environment), "the health check of a worker that is gone")
    finally:
        worker.kill()
        worker.wait()


def _wait_for(exit_code: int, command: list[str], what: str) -> None:
    deadline = time.monotonic() + _SECONDS_MAX
    while (done := subprocess.run(command, capture_output=True, text=True, check=False)).returncode != exit_code:
        _require(time.monotonic() < deadline, f"{what} did not come to {exit_code}:\n{done.stdout}{done.stderr}")
        time.sleep(0.2)


def _require(holds: bool, otherwise: str) -> None:  # noqa: FBT001 - an assertion that -O does not drop
    if not holds:
        sys.exit(f"The image is not as it should be: {otherwise}")


def _say(sentence: str) -> None:
    print(sentence, flush=True)  # noqa: T201 - the target's output


if __name__ == "__main__":
    main()
