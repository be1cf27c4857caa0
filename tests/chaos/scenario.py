"""What is a scenario, and which are there?"""

import importlib
import pkgutil
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import tests.chaos.scenarios

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from tests.chaos.invariants import Judgement
    from tests.chaos.trial import Trial


@dataclass(frozen=True, slots=True)
class Scenario:
    """A named attack that can be repeated from its seed.

    Attributes:
        name: Its name on the command line.
        what: What is done, in a sentence.
        run: Does it, and takes every fault back; what it draws it draws from `Trial.random`.
        in_subset: Part of what `make test` runs.
        exclusive: Touches the brokers or the network, so that no other may run beside it.
        needs_cluster: Needs the three brokers and their proxies.
        episodes: Size of the load.
        partitions: Of every topic.
        changelog_config: Settings of the changelog that are not those it is created with.
        restarts_max: So many workers may end in doubt, and are started again.
        examine: For a negative control: holds what another program did against its input. Something must be found.
    """

    name: str
    what: str
    run: "Callable[[Trial], Awaitable[None]]"
    in_subset: bool = False
    exclusive: bool = False
    needs_cluster: bool = False
    episodes: int = 300
    partitions: int = 4
    changelog_config: "Mapping[str, str]" = field(default_factory=dict)
    restarts_max: int = 20
    examine: "Callable[[Trial], Awaitable[Judgement]] | None" = None


def sentence_of(run: "Callable[[Trial], Awaitable[None]]") -> str:
    """The first paragraph of its docstring."""
    return " ".join((run.__doc__ or "").strip().split("\n\n")[0].split())


def all_scenarios() -> list[Scenario]:
    """Every scenario of every module of ``scenarios/``, by name."""
    modules = pkgutil.iter_modules(tests.chaos.scenarios.__path__, f"{tests.chaos.scenarios.__name__}.")
    found = [scenario for module in modules for scenario in importlib.import_module(module.name).SCENARIOS]
    return sorted(found, key=lambda scenario: scenario.name)
