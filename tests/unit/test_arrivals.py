"""An episode takes in what it has room for; whoever sends without end slows nobody else."""

from msgspec.structs import replace

from streams.domain.fact import Fact, Survey
from streams.intake.decoder import VALUE_BYTES_MAX
from streams.intake.rejection import RejectionReason
from streams.processing import dead_letter
from streams.processing.arrivals import FACTS_AND_CORRECTIONS_MAX, FACTS_MAX
from streams.recount.standing import Coordinates
from tests.episode_notation import facts_of
from tests.example_messages import DECODER
from tests.expectation import Expectation
from tests.messages import message_bytes
from tests.policies_for_tests import DEFAULT
from tests.tasks_in_memory import TOPOLOGY, Sent, TasksInMemory

CODED = facts_of("odi 48 @-3d #baseline ev:a | T #treatment ev:b | odi 22 @+9d #follow-up ev:c")
STEP = 100


def sent(fact: Fact, episode_id: str = "runaway") -> Sent:
    topic = TOPOLOGY.survey_completed if isinstance(fact, Survey) else TOPOLOGY.treatment_recorded
    return Sent(topic, 0, 1, message_bytes(fact, episode_id))


def runaway(count: int) -> list[Fact]:
    return [replace(CODED[1], event_id=f"e{number}", treatment_id=f"t{number}") for number in range(count)]


def crowded(*more: Fact) -> TasksInMemory:
    """A task that has read a coded episode, then more treatments of it than there is room for, then *more*."""
    tasks = TasksInMemory(DEFAULT)
    for fact in (*CODED, *runaway(FACTS_MAX + STEP)):
        tasks.send(sent(fact))
    while tasks.step(0, STEP).next_offsets:
        pass
    for fact in more:
        tasks.send(sent(fact))
    tasks.drain()
    return tasks


def letters(tasks: TasksInMemory) -> list[tuple[str, int]]:
    """Reason and offset of each dead letter."""
    headers = [dict(record.headers) for record in tasks.records(TOPOLOGY.dead_letter)]
    return [(h[dead_letter.REASON].decode(), int(h[dead_letter.OFFSET])) for h in headers]


def test_past_the_bound_new_facts_are_dead_letters() -> None:
    """The episode stops growing, and every record that it turned away is one dead letter with that reason."""
    tasks = crowded()

    held = len(tasks.episodes()["runaway"].episode.facts)
    assert FACTS_MAX <= held < FACTS_MAX + STEP
    assert letters(tasks) == [
        (RejectionReason.EPISODE_FULL, offset) for offset in range(held - 2, FACTS_MAX + STEP + 1)
    ]


def test_a_full_episode_still_takes_its_code_back() -> None:
    """A correction of what it knows is let in: no code stands on a mistake because a sender ran away."""
    tasks = crowded(*facts_of("odi 22 @+9d #follow-up v2 void ev:d"))

    assert [event["action"] for event in tasks.coding_events("runaway")] == ["new", "void"]


def test_a_duplicate_in_a_full_episode_is_a_duplicate() -> None:
    """What is known is no dead letter, however full the episode is."""
    before = letters(crowded())
    assert letters(crowded(CODED[0], CODED[2])) == before


def test_corrections_have_a_bound_too() -> None:
    """A sender that corrects without end is turned away as well."""
    corrections = [replace(CODED[1], event_id=f"v{number}", version=number) for number in range(2, 2_000)]
    tasks = TasksInMemory(DEFAULT)
    for fact in (*CODED, *corrections):
        tasks.send(sent(fact))
    while tasks.step(0, STEP).next_offsets:
        pass

    assert len(tasks.episodes()["runaway"].episode.facts) <= FACTS_AND_CORRECTIONS_MAX + STEP


def test_no_other_episode_is_turned_away() -> None:
    """The neighbour in the same partition is coded as if nothing were."""
    tasks = crowded()
    for fact in CODED:
        tasks.send(sent(fact, "neighbour"))
    tasks.drain()

    assert [event["code"] for event in tasks.coding_events("neighbour")] == ["G9603"]


def expected(tasks: TasksInMemory, turned_away: set[Coordinates]) -> Expectation:
    """What the recount makes of the input of *tasks*."""
    expectation = Expectation(DECODER, DEFAULT, turned_away)
    for topic, kind in TOPOLOGY.kinds.items():
        expectation.take(tasks.records(topic), kind)
    return expectation


def test_the_recount_knows_what_a_full_episode_turned_away() -> None:
    """Those records are rejected for the recount, too."""
    tasks = crowded()
    turned_away = {Coordinates(TOPOLOGY.treatment_recorded, 0, offset) for _, offset in letters(tasks)}

    expectation = expected(tasks, turned_away)

    assert expectation.wrongly_turned_away() == []
    assert set(expectation.rejected) == turned_away


def test_the_recount_finds_what_was_turned_away_without_need() -> None:
    """A dead letter of an episode that has room is a fault of the worker."""
    tasks = TasksInMemory(DEFAULT)
    for fact in CODED:
        tasks.send(sent(fact))
    away = Coordinates(TOPOLOGY.survey_completed, 0, 0)

    assert expected(tasks, {away}).wrongly_turned_away() == [away]


def test_a_value_past_the_bound_is_not_even_read() -> None:
    """Size is looked at before anything else."""
    tasks = TasksInMemory(DEFAULT)
    small = message_bytes(CODED[0], "large")
    tasks.send(sent(CODED[0])._replace(value=small + b" " * (VALUE_BYTES_MAX - len(small))))
    tasks.send(sent(CODED[0])._replace(value=small + b" " * (VALUE_BYTES_MAX - len(small) + 1)))
    tasks.drain()

    assert letters(tasks) == [(RejectionReason.TOO_LARGE, 1)]
