"""How a history may begin: a few moves that lead to a moment at which a promise of the protocol counts.

Chance alone seldom gets so far in forty rules. What happens next is drawn, under every opening alike.
"""

from collections.abc import Callable, Mapping

from tests.care import episodes_at_home_in, follow_up
from tests.simulation.world import TASKS, World

_READS = 4


def at_rest(world: World) -> None:
    """Two workers that have their tasks."""
    world.start(0)
    world.start(1)
    world.rest()


def alone(world: World) -> None:
    """One worker that has all tasks."""
    world.start(0)
    world.rest()


def zombie(world: World) -> None:
    """The first of two workers is stopped within its step, for so long that the other takes over its tasks."""
    at_rest(world)
    for process in list(world.running())[:1]:
        world.read(process, 2)
        world.work_up_to(process, "AddPartitionsToTxn")
        world.pause(process)
        world.expire(process.member_id)
    world.rest()


def unmarked(world: World) -> None:
    """A step was committed, its markers are not yet written, and the group gives up the worker that wrote it."""
    at_rest(world)
    for process in list(world.running())[:1]:
        world.read(process, 2)
        world.calm(process)
        world.expire(process.member_id)


def lost_end(world: World) -> None:
    """The connection breaks under EndTxn, before the broker has taken it; it may still do so."""
    alone(world)
    for process in list(world.running()):
        world.read(process, 1)
        world.work_up_to(process, "EndTxn")
        for request in world.network.of(process.name):
            world.lose(request)
        world.calm(process)
        world.write_all_markers()
        world.read(process, 1)
        world.work_up_to(process, "Produce")


def missed_generation(world: World) -> None:
    """A worker joins again, and is stopped before it learns its tasks; another works on some of them, and leaves."""
    alone(world)
    for process in list(world.running()):
        other = world.start(1)
        world.calm(other)
        world.work_up_to(process, "SyncGroup")
        world.pause(process)
        world.rest()
        world.read(other, 1)
        world.calm(other)
        world.write_all_markers()
        world.stop(other)
        world.calm(other)


def stale_fetch(world: World) -> None:
    """What a worker fetched before a rebalance waits to be handed over after it; what was before that was dropped."""
    alone(world)
    episode_id = next(episodes_at_home_in(0, task_count=TASKS))
    for version in range(2, 2 + _READS):
        correction = follow_up(episode_id, version=version, score=str(version))
        world.send(correction.kind, 0, correction.value, timestamp_ms=0)
    for process in list(world.running()):
        world.read(process, 1)
        world.work_up_to(process, "EndTxn")
        world.read(process, 1)  # computed, and waits for the end of the first
        world.read(process, 1)  # in the inbox
        world.fetch(process, 1)
        other = world.start(1)
        world.calm(other)
        world.hear(process)
        while (
            world.move([request for request in world.network.of(process.name) if not request.is_inside])
            or world.calm(other)
            or world.write_all_markers()
            or world.end_complete_rebalance()
        ):
            pass


OPENINGS: Mapping[str, Callable[[World], None]] = {
    opening.__name__: opening
    for opening in (at_rest, alone, zombie, unmarked, lost_end, missed_generation, stale_fetch)
}
