"""Where are the programs that judge what is in deploy/? ``make deploy-programs`` gets those that are missing.

Helm and kubectl-validate (which carries the Kubernetes schemas) are built by Go, once per version, into the user's
cache: about two minutes each. promtool, Prometheus and docker-compose are packages of the operating system.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from streams.local_kafka.maven import default_cache_dir

_GO_PROGRAMS = {
    "helm": "helm.sh/helm/v3/cmd/helm@v3.22.0",
    "kubectl-validate": "sigs.k8s.io/kubectl-validate@v0.0.4",
}
_PACKAGED_PROGRAMS = ("promtool", "prometheus", "docker-compose")


class ProgramUnavailableError(Exception):
    """A program is not here; the message says how to get it."""


def program(name: str) -> str:
    """The path of the program *name*.

    Raises:
        ProgramUnavailableError: It is not on this machine.
    """
    path = str(_built(name)) if name in _GO_PROGRAMS else shutil.which(name)
    if path is None or not Path(path).exists():
        message = (
            f"{name} is not on this machine, and what is in deploy/ cannot be checked: run `make deploy-programs`."
        )
        raise ProgramUnavailableError(message)
    return path


def build_programs() -> None:
    """Build what Go builds and is not there.

    Raises:
        ProgramUnavailableError: There is no Go, or it could not build them.
    """
    for name, module in _GO_PROGRAMS.items():
        if _built(name).exists():
            continue
        go = shutil.which("go")
        if go is None:
            message = (
                f"{name} is built by Go, which is not on this machine: install Go 1.25 or newer (go.dev/doc/install)."
            )
            raise ProgramUnavailableError(message)
        print(f"Building {module}, once; about two minutes.", flush=True)  # noqa: T201 - a make target's output
        environment = {**os.environ, "GOBIN": str(_built(name).parent), "CGO_ENABLED": "0"}
        if subprocess.run([go, "install", module], env=environment, check=False).returncode != 0:
            message = f"{module} could not be built by {go}: it needs Go 1.25 or newer, and its module proxy."
            raise ProgramUnavailableError(message)


def _built(name: str) -> Path:
    version = _GO_PROGRAMS[name].partition("@")[2]
    return default_cache_dir() / f"{name}-{version}" / name


if __name__ == "__main__":
    try:
        build_programs()
        for packaged in _PACKAGED_PROGRAMS:
            program(packaged)
    except ProgramUnavailableError as error:
        sys.exit(str(error))
