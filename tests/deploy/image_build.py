"""What would the image be? Carries out the Dockerfile without a container engine.

Each stage is an overlay over this machine's root, which stands in for the base image, and each RUN happens inside
(chroot), by the paths and the account that the Dockerfile names. So what is shown is what the instructions do, not what
the base image holds. It wants Linux, root, and a mount namespace of its own: `make image-check`.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from tests.deploy.dockerfile import ROOT, Instruction, Stage, read_dockerfile

# The base image has its Python at the front of the path; so has the stand-in.
_BASE_PATH = f"{sys.base_prefix}/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_PACKAGE_INDEX = ("PIP_INDEX_URL", "PIP_CERT", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "HTTPS_PROXY", "https_proxy")


class ImageStage:
    """The file system of one stage, as its instructions leave it.

    Args:
        stage: The instructions.
        folder: On a file system that can be the upper layer of an overlay: a tmpfs.
        others: Stages made before, to copy from.
    """

    def __init__(self, stage: Stage, folder: Path, others: dict[str, "ImageStage"]) -> None:
        self.stage = stage
        self.root = folder / stage.name / "root"
        self.layer = folder / stage.name / "layer"
        self.environment = {"PATH": _BASE_PATH, "HOME": "/tmp"}  # noqa: S108 - inside
        self.user = "0:0"
        self.folder = Path("/")
        self._others = others
        work = folder / stage.name / "work"
        for path in (self.root, self.layer, work):
            path.mkdir(parents=True)
        _mount("-t", "overlay", "overlay", "-o", f"lowerdir=/,upperdir={self.layer},workdir={work}", self.root)
        _mount("-t", "proc", "proc", self.root / "proc")
        _mount("--rbind", "/dev", self.root / "dev")
        for parent in Path(sys.base_prefix).parents:  # a base image's Python is for every account
            inside = self.root / parent.relative_to("/")
            inside.chmod(inside.stat().st_mode | 0o011)

    def build(self) -> None:
        """Carry the instructions out, in their order."""
        for instruction in self.stage.instructions:
            print(f"  {instruction.keyword} {instruction.value[:100]}", flush=True)  # noqa: T201 - the target's output
            self._carry_out(instruction)

    def _carry_out(self, instruction: Instruction) -> None:
        match instruction.keyword:
            case "RUN":
                index = {name: os.environ[name] for name in _PACKAGE_INDEX if name in os.environ}
                subprocess.run(self.inside(instruction.command, index), check=True, stdout=subprocess.DEVNULL)
            case "COPY":
                self._copy(instruction.value.split())
            case "WORKDIR":
                self.folder = Path(instruction.value)
                (self.root / instruction.value.lstrip("/")).mkdir(parents=True, exist_ok=True)
            case "ENV":
                self.environment |= instruction.pairs(self.environment)
            case "USER":
                self.user = instruction.value
            case "ARG" | "LABEL" | "VOLUME" | "EXPOSE" | "HEALTHCHECK" | "STOPSIGNAL" | "ENTRYPOINT" | "CMD":
                pass
            case _:
                message = f"{instruction.keyword}: teach tests/deploy/image_build.py what this instruction does."
                raise NotImplementedError(message)

    def _copy(self, words: list[str]) -> None:
        source = ROOT
        if words[0].startswith("--from="):
            source = self._others[words.pop(0).removeprefix("--from=")].root
        *names, target = words
        into = self.root / str(self.folder / target).lstrip("/")
        for name in names:
            path = source / name.lstrip("/")
            if path.is_dir():
                shutil.copytree(path, into, symlinks=True, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                destination = into / path.name if target.endswith("/") else into
                destination.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(path, destination)

    def seal(self) -> None:
        """From now on nothing can be written but in its volumes, which are empty: ``docker run --read-only``."""
        uid, gid = self.user.split(":")
        for volume in self.stage.values("VOLUME"):
            inside = self.root / volume.lstrip("/")
            _mount("-t", "tmpfs", "-o", f"uid={uid},gid={gid},mode=0700", "tmpfs", inside)
        _mount("-o", "remount,ro", self.root)

    def inside(self, command: Sequence[str], more_environment: dict[str, str] | None = None) -> list[str]:
        """*command* as it would run in a container of this image: its account, without rights, and its environment."""
        environment = {**self.environment, **(more_environment or {})}
        user, group = self.user.split(":")
        account = ["setpriv", "--reuid", user, "--regid", group, "--clear-groups"]
        if user != "0":
            account += ["--no-new-privs", "--bounding-set=-all", "--inh-caps=-all"]
        variables = [f"{name}={value}" for name, value in environment.items()]
        # No shell or other process stands in between: what gets the signal is the program.
        enter = ["chroot", str(self.root), "env", "-i", f"--chdir={self.folder}", *variables]
        return [*enter, *account, *command]


def build_image(folder: Path) -> ImageStage:
    """Carry out every stage in *folder*; the last, which is the image."""
    _mount("-t", "tmpfs", "tmpfs", folder)
    built: dict[str, ImageStage] = {}
    _, stages = read_dockerfile()
    for stage in stages:
        print(f"FROM {stage.base} AS {stage.name}", flush=True)  # noqa: T201
        built[stage.name] = ImageStage(stage, folder, built)
        built[stage.name].build()
    return built[stages[-1].name]


def _mount(*words: str | Path) -> None:
    subprocess.run(["mount", *map(str, words)], check=True)
