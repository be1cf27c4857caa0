"""The simulation finds faults: with any one promise of the protocol broken, some history is not exactly once.

Each case is the search of `test_exactly_once` over the same rules; under the protocol as it is built the same
search, from the same opening, finds nothing.
"""

from dataclasses import replace

import pytest

from tests.simulation.openings import OPENINGS
from tests.simulation.protocol import AS_BUILT, Protocol
from tests.simulation.running import Extent, search
from tests.simulation.timeline import ViolationError

NEAR = Extent(examples=2_000, steps=12, seed=0, shortens=False)
"""The opening has led to the place: what breaks there breaks soon, mostly in the first twenty histories."""

BROKEN = {
    "restore-to-the-last-stable-offset": (replace(AS_BUILT, restores_to_high_watermark=False), "unmarked"),
    "no-generation-fencing": (replace(AS_BUILT, fences_generations=False), "zombie"),
    "the-current-generation-instead-of-the-batch's": (replace(AS_BUILT, commits_for_the_batch=False), "zombie"),
    "offsets-committed-outside-the-transaction": (replace(AS_BUILT, commits_offsets_inside=False), "zombie"),
    "offsets-committed-before-the-sends-are-answered": (replace(AS_BUILT, sends_before_offsets=False), "zombie"),
    "end-transaction-retried-under-the-same-epoch": (replace(AS_BUILT, ends_once=False), "lost_end"),
    "parked-tasks-kept-across-two-generations": (
        replace(AS_BUILT, parks_for_one_generation=False),
        "missed_generation",
    ),
    "stale-fetches-taken-in": (replace(AS_BUILT, drops_stale_fetches=False), "stale_fetch"),
    "no-fencing-by-init-producer-id": (replace(AS_BUILT, fences_producers=False), "at_rest"),
}


@pytest.mark.parametrize(("broken", "opening"), BROKEN.values(), ids=BROKEN)
def test_a_broken_promise_is_found(broken: Protocol, opening: str) -> None:
    """A code is lost, doubled or wrong, or an aborted record read, and the message tells how it came to that."""
    with pytest.raises(ViolationError, match=r"(?s)^I\d .*\nseed 0\n +1  producer") as found:
        search(broken, opening=opening, extent=NEAR)
    assert not str(found.value).startswith("I8")


@pytest.mark.parametrize("opening", OPENINGS)
def test_the_protocol_as_built_keeps_every_promise_from_there(opening: str) -> None:
    """It is the broken promise that is found above, not the opening."""
    search(opening=opening, extent=replace(NEAR, examples=50))


def test_a_seed_decides_the_history() -> None:
    """What was found can be had again: the same seed, the same timeline."""
    broken, opening = BROKEN["end-transaction-retried-under-the-same-epoch"]
    told = []
    for _ in range(2):
        with pytest.raises(ViolationError) as found:
            search(broken, opening=opening, extent=NEAR)
        told.append(str(found.value))
    assert told[0] == told[1]
