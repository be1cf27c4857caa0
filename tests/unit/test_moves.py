"""A survey or treatment that a correction links to another episode: it leaves the one, and counts in the other."""

from collections.abc import Sequence
from decimal import Decimal
from typing import NamedTuple

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn

from schemas.vocabulary import RecordStatus, TreatmentCodeSystem
from streams.domain.coding import coding_of
from streams.domain.decision import Coded, decide
from streams.domain.fact import Fact, Survey, Treatment
from streams.domain.instant import US_PER_DAY, Instant
from streams.explanation.episode import explain_episode
from streams.intake.rejection import RejectionReason
from streams.processing import arrivals
from streams.processing.arrivals import FACTS_MAX
from streams.processing.dead_letter import REASON
from streams.processing.partitioning import home_partition
from streams.processing.topology import InputKind
from tests.billing_consumer import billed
from tests.messages import message_bytes
from tests.policies_for_tests import DEFAULT
from tests.tasks_in_memory import TOPOLOGY, Sent, TasksInMemory
from tests.unit.test_task_laws import Moment, live_through, moments, partitions

law = settings(max_examples=60, deadline=None)

TASK_COUNT = 3
EPISODE_IDS = ("episode-1", "episode-2", "episode-3")
NOON = 1_736_942_400_000_000
BEFORE, AT, AFTER = (Instant(NOON + day * US_PER_DAY, 0) for day in (-1, 0, 30))


def survey(
    survey_id: str, completed_at: Instant, score: str, *, version: int = 1, moved_from: str | None = None
) -> Survey:
    return Survey(
        source="tablet",
        event_id=f"{survey_id}-{version}",
        survey_id=survey_id,
        version=version,
        status=RecordStatus.COMPLETED if version == 1 else RecordStatus.AMENDED,
        patient_id="p1",
        instrument="nprs",
        instrument_version=None,
        score=Decimal(score),
        completed_at=completed_at,
        moved_from_episode_id=moved_from,
    )


def treatment(treatment_id: str, *, version: int = 1, moved_from: str | None = None) -> Treatment:
    return Treatment(
        source="ehr",
        event_id=f"{treatment_id}-{version}",
        treatment_id=treatment_id,
        version=version,
        status=RecordStatus.COMPLETED,
        patient_id="p1",
        code="97110",
        code_system=TreatmentCodeSystem.HCPCS,
        performed_at=AT,
        moved_from_episode_id=moved_from,
    )


class Linked(NamedTuple):
    """A fact, and the episode that it is sent with."""

    episode_id: str
    fact: Fact

    def sent(self, partition: int | None = None) -> Sent:
        """The record, to some partition, or to its home."""
        kind = InputKind.SURVEY if isinstance(self.fact, Survey) else InputKind.TREATMENT
        home = home_partition(self.episode_id, TASK_COUNT)
        value = message_bytes(self.fact, self.episode_id)
        return Sent(kind, home if partition is None else partition, 1_750_000_000_000, value)


ORIGINALS: Sequence[Fact] = (
    survey("baseline", BEFORE, "6"),
    survey("follow-up", AFTER, "2"),
    treatment("treatment"),
    survey("other-baseline", BEFORE, "7"),
    survey("other-follow-up", AFTER, "3"),
    treatment("other-treatment"),
)


@st.composite
def wanderings(draw: DrawFn) -> list[Linked]:
    """Records in versions, each of which may say another episode; the sender says which one it was before."""
    linked = []
    for original in draw(st.lists(st.sampled_from(ORIGINALS), min_size=1, max_size=6, unique=True)):
        before: str | None = None
        for version, episode_id in enumerate(draw(st.lists(st.sampled_from(EPISODE_IDS), min_size=1, max_size=4)), 1):
            event_id = f"{original.event_id}-{version}"
            fact = msgspec.structs.replace(
                original, version=version, event_id=event_id, moved_from_episode_id=before if version > 1 else None
            )
            linked.append(Linked(episode_id, fact))
            before = episode_id
    return linked


def standing_in(linked: Sequence[Linked], episode_id: str) -> list[Fact]:
    """The oracle: the highest version of each record says where it stands, and nothing else counts."""
    last = {one.fact.identity: one for one in sorted(linked, key=lambda one: one.fact.version)}
    return [one.fact for one in last.values() if one.episode_id == episode_id]


def code_of(facts: Sequence[Fact]) -> tuple[str, ...] | None:
    decision = decide(facts, DEFAULT)
    if not isinstance(decision, Coded):
        return None
    coding = coding_of(decision, DEFAULT)
    return coding.baseline.survey_id, coding.treatment.treatment_id, coding.follow_up.survey_id


def told_of(tasks: TasksInMemory, episode_id: str) -> tuple[str, ...] | None:
    event = billed(tasks.coding_events(episode_id))
    if event is None:
        return None
    return event["baseline"]["survey_id"], event["treatment"]["treatment_id"], event["followup"]["survey_id"]


@law
@given(wanderings(), st.data(), moments)
def test_a_record_counts_where_its_highest_version_says(
    linked: list[Linked], data: st.DataObject, course: list[Moment]
) -> None:
    """In any order, some of it twice, to any partitions, with restarts: billing holds what the last versions earn."""
    again = data.draw(st.lists(st.sampled_from(linked), max_size=3))
    tasks = TasksInMemory(DEFAULT, task_count=TASK_COUNT)
    for one in data.draw(st.permutations([*linked, *again])):
        tasks.send(one.sent(data.draw(partitions)))
    live_through(tasks, course)

    for episode_id in EPISODE_IDS:
        assert told_of(tasks, episode_id) == code_of(standing_in(linked, episode_id))
    assert not tasks.records(TOPOLOGY.dead_letter)


@law
@given(wanderings(), st.data())
def test_the_order_of_arrival_leaves_no_trace(linked: list[Linked], data: st.DataObject) -> None:
    """The episodes are the same, fact by fact, and so is what each of them explains."""
    known = []
    for order in (linked, data.draw(st.permutations(linked))):
        tasks = TasksInMemory(DEFAULT, task_count=TASK_COUNT)
        for one in order:
            tasks.send(one.sent())
            tasks.drain()
        known.append({episode_id: coded.episode for episode_id, coded in tasks.episodes().items()})

    assert known[0] == known[1]


def sent_in_order(*linked: Linked) -> TasksInMemory:
    tasks = TasksInMemory(DEFAULT, task_count=TASK_COUNT)
    for one in linked:
        tasks.send(one.sent())
        tasks.drain()
    return tasks


RIGHT, WRONG = EPISODE_IDS[:2]
CARE = [Linked(RIGHT, fact) for fact in ORIGINALS[:3]]


def test_a_follow_up_moves_to_the_episode_that_it_belongs_to() -> None:
    """The episode that it was in gives its code back, and says where it went; the other one has the code."""
    in_wrong = [Linked(WRONG, fact) for fact in ORIGINALS[3:]]
    moved = Linked(RIGHT, survey("other-follow-up", AFTER, "3", version=2, moved_from=WRONG))
    tasks = sent_in_order(*CARE[::2], *in_wrong, moved)

    assert [event["action"] for event in tasks.coding_events(WRONG)] == ["new", "void"]
    assert told_of(tasks, RIGHT) == ("baseline", "treatment", "other-follow-up")
    left, arrived = (explain_episode(id_, tasks.episodes()[id_], DEFAULT).as_json() for id_ in (WRONG, RIGHT))
    assert [f["why"] for f in left["facts"] if f["standing"] == "retracted"] == [f"moved to episode {RIGHT}"]
    assert [f["moved_from_episode_id"] for f in arrived["facts"] if f["version"] == 2] == [WRONG]


def test_a_move_within_an_episode_is_none() -> None:
    """An interface that always fills the field moves nothing."""
    tasks = sent_in_order(*CARE, Linked(RIGHT, survey("follow-up", AFTER, "2", version=2, moved_from=RIGHT)))

    assert told_of(tasks, RIGHT) == ("baseline", "treatment", "follow-up")
    assert not tasks.records(TOPOLOGY.episodes_rekey)


@pytest.mark.parametrize("first", ["the old link", "the new link"])
def test_two_episodes_under_one_version(first: str) -> None:
    """A sender's fault: what is said to have left does not count where it was, whichever came first."""
    old = Linked(WRONG, survey("follow-up", AFTER, "2", version=2))
    new = Linked(RIGHT, survey("follow-up", AFTER, "2", version=2, moved_from=WRONG))
    others = [Linked(WRONG, ORIGINALS[0]), Linked(WRONG, ORIGINALS[2])]
    tasks = sent_in_order(*others, *((old, new) if first == "the old link" else (new, old)))

    assert told_of(tasks, WRONG) is None


def test_what_is_turned_away_moves_nothing() -> None:
    """A full episode does not take the survey in, so it stays where it was, and the record is a dead letter."""
    crowd = [Linked(RIGHT, survey(f"s{n}", AFTER, "5")) for n in range(FACTS_MAX)]
    care = [Linked(WRONG, fact) for fact in ORIGINALS[:3]]
    tasks = TasksInMemory(DEFAULT, task_count=TASK_COUNT)
    for one in [*crowd, *care]:
        tasks.send(one.sent())
    tasks.drain()
    tasks.send(Linked(RIGHT, survey("follow-up", AFTER, "2", version=2, moved_from=WRONG)).sent())
    tasks.drain()

    assert told_of(tasks, WRONG) == ("baseline", "treatment", "follow-up")
    assert len(tasks.records(TOPOLOGY.dead_letter)) == 1


def test_a_full_episode_lets_go() -> None:
    """There is always room for what takes a survey out: the code on it would be a false claim."""
    crowd = [Linked(WRONG, survey(f"s{n}", AFTER, "7")) for n in range(FACTS_MAX - 3)]
    tasks = TasksInMemory(DEFAULT, task_count=TASK_COUNT)
    for one in [*crowd, *(Linked(WRONG, fact) for fact in ORIGINALS[:3])]:
        tasks.send(one.sent())
    tasks.drain()
    assert told_of(tasks, WRONG) is not None
    tasks.send(Linked(RIGHT, survey("follow-up", AFTER, "2", version=2, moved_from=WRONG)).sent())
    tasks.drain()

    assert told_of(tasks, WRONG) is None
    assert not tasks.records(TOPOLOGY.dead_letter)


def test_an_episode_that_is_full_beyond_measure_does_not_let_go(monkeypatch: pytest.MonkeyPatch) -> None:
    """A sender without end cannot fill it with moves either; what moved counts where it is, and a person is told."""
    monkeypatch.setattr(arrivals, "FACTS_CORRECTIONS_AND_MOVES_MAX", 3)
    in_wrong = [Linked(WRONG, fact) for fact in ORIGINALS[3:]]
    moved = Linked(RIGHT, survey("other-follow-up", AFTER, "3", version=2, moved_from=WRONG))
    tasks = sent_in_order(*CARE[::2], *in_wrong, moved)

    assert told_of(tasks, RIGHT) == ("baseline", "treatment", "other-follow-up")
    assert told_of(tasks, WRONG) == ("other-baseline", "other-treatment", "other-follow-up")
    (letter,) = tasks.records(TOPOLOGY.dead_letter)
    assert dict(letter.headers)[REASON] == RejectionReason.NOT_TAKEN_BACK.encode()
