"""What does the Dockerfile say? Its instructions by stage, as far as ours uses them."""

import json
import re
import shlex
from dataclasses import dataclass, field
from pathlib import Path
from string import Template
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
DOCKERFILE = ROOT / "deploy" / "Dockerfile"


class Instruction(NamedTuple):
    """One instruction, its lines joined."""

    keyword: str
    value: str

    @property
    def command(self) -> list[str]:
        """The program of RUN, CMD, ENTRYPOINT or HEALTHCHECK CMD, and its arguments."""
        if self.value.startswith("["):
            return [str(word) for word in json.loads(self.value)]
        return ["/bin/sh", "-c", self.value]

    def pairs(self, known: dict[str, str]) -> dict[str, str]:
        """The names and values of ENV, ARG or LABEL; ``${NAME}`` is that of *known*."""
        words = (word.partition("=") for word in shlex.split(self.value))
        return {name: Template(value).safe_substitute(known) for name, _, value in words}


@dataclass(frozen=True)
class Stage:
    """What happens after one FROM."""

    name: str
    base: str
    instructions: list[Instruction] = field(default_factory=list)

    def values(self, keyword: str) -> list[str]:
        """What stands after each *keyword*."""
        return [i.value for i in self.instructions if i.keyword == keyword]

    def command(self, keyword: str) -> list[str]:
        """The last program that *keyword* gives."""
        return next(i.command for i in reversed(self.instructions) if i.keyword == keyword)

    @property
    def health_check(self) -> tuple[dict[str, str], list[str]]:
        """The options of HEALTHCHECK, and its program."""
        options, _, command = self.values("HEALTHCHECK")[-1].partition("CMD ")
        pairs = re.findall(r"--([a-z-]+)=(\S+)", options)
        return dict(pairs), Instruction("CMD", command).command


def read_dockerfile(path: Path = DOCKERFILE) -> tuple[dict[str, str], list[Stage]]:
    """The arguments before the first FROM, and the stages; the last is the image."""
    text = "\n".join(line for line in path.read_text().splitlines() if not line.startswith("#"))
    arguments: dict[str, str] = {}
    stages: list[Stage] = []
    for line in re.sub(r"\\\n\s*", "", text).splitlines():
        if not line.strip():
            continue
        keyword, _, value = line.partition(" ")
        instruction = Instruction(keyword, value.strip())
        if keyword == "FROM":
            base, _, name = instruction.value.partition(" AS ")
            stages.append(Stage(name or "image", Template(base).substitute(arguments)))
        elif stages:
            stages[-1].instructions.append(instruction)
        else:
            arguments |= instruction.pairs({})
    return arguments, stages
