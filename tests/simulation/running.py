"""How long to search, and from which seed: by the environment, so that a found history can be had again."""

import os

import hypothesis
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.simulation.machine import StreamTasksMachine
from tests.simulation.protocol import AS_BUILT, Protocol

EXAMPLES = int(os.environ.get("SIMULATION_EXAMPLES", "200"))
SEED = int(os.environ.get("SIMULATION_SEED", "0"))
STEPS = 40


def search(
    protocol: Protocol = AS_BUILT,
    *,
    opening: str | None = None,
    examples: int = EXAMPLES,
    seed: int = SEED,
    shortens: bool = True,
) -> None:
    """Run *examples* histories under *protocol*.

    Args:
        protocol: The promises that are kept.
        opening: How every history begins; None draws it.
        examples: How many histories, if none fails.
        seed: Decides all of them.
        shortens: Whether a history that fails is made as short as can be.

    Raises:
        ViolationError: An invariant does not hold; the message tells the seed and the timeline.
    """
    chosen = {"protocol": protocol, "seed": seed, "opening": opening}
    machine = hypothesis.seed(seed)(type("Machine", (StreamTasksMachine,), chosen))
    phases = (Phase.generate, Phase.shrink) if shortens else (Phase.generate,)
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=examples,
            stateful_step_count=STEPS,
            phases=phases,
            database=None,
            deadline=None,
            report_multiple_bugs=False,
            suppress_health_check=list(HealthCheck),
        ),
    )
