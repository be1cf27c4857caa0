"""How long to search, and from which seed: by the environment, so that a found history can be had again."""

import os
from dataclasses import dataclass

import hypothesis
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.simulation.machine import StreamTasksMachine
from tests.simulation.protocol import AS_BUILT, Protocol


@dataclass(frozen=True, slots=True)
class Extent:
    """How far to search. The default is what the environment says (README.md)."""

    examples: int = int(os.environ.get("SIMULATION_EXAMPLES", "200"))
    """How many histories, if none fails."""
    steps: int = 40
    """How many rules each has after its opening, at most."""
    seed: int = int(os.environ.get("SIMULATION_SEED", "0"))
    """Decides all of them."""
    shortens: bool = True
    """Whether a history that fails is made as short as can be."""


FULL = Extent()


def search(protocol: Protocol = AS_BUILT, *, opening: str | None = None, extent: Extent = FULL) -> None:
    """Run histories under *protocol*.

    Args:
        protocol: The promises that are kept.
        opening: How every history begins; None draws it.
        extent: How many, and how long.

    Raises:
        ViolationError: An invariant does not hold; the message tells the seed and the timeline.
    """
    chosen = {"protocol": protocol, "seed": extent.seed, "opening": opening}
    machine = hypothesis.seed(extent.seed)(type("Machine", (StreamTasksMachine,), chosen))
    phases = (Phase.generate, Phase.shrink) if extent.shortens else (Phase.generate,)
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=extent.examples,
            stateful_step_count=extent.steps,
            phases=phases,
            database=None,  # a seed is all that a run depends on
            deadline=None,
            report_multiple_bugs=False,
            suppress_health_check=list(HealthCheck),
        ),
    )
