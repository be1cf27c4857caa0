"""Patients whose ids were merged: who survives, and what that does to the codes of their episodes, in any order."""

from typing import NamedTuple

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn

from schemas.vocabulary import PatientMergeAction
from streams.domain.coding import coding_of
from streams.domain.decision import Coded, decide
from streams.domain.fact import Survey
from streams.domain.instant import US_PER_DAY, Instant
from streams.domain.patient_merge import Concern, PatientMerge, patient_identities
from streams.explanation.episode import explain_episode
from streams.identity.worklist import patients_of_concern, worklist
from streams.intake.cloudevents import Headers
from streams.intake.rejection import RejectedError, RejectionReason
from streams.processing.changelog import is_merge_key
from streams.processing.topology import InputKind
from tests.billing_consumer import billed
from tests.example_messages import BINARY, DECODER, MERGE, STRUCTURED, enveloped
from tests.json_messages import json_bytes
from tests.messages import merge_bytes, message_bytes
from tests.policies_for_tests import DEFAULT
from tests.strategies import histories, patient_merges
from tests.tasks_in_memory import TOPOLOGY, Sent, TasksInMemory
from tests.unit.test_moves import AFTER, ORIGINALS, Linked, survey
from tests.unit.test_task_laws import Moment, live_through, moments, partitions

law = settings(max_examples=60, deadline=None)

TASK_COUNT = 3
EPISODE_IDS = ("episode-1", "episode-2", "episode-3")
MERGE_ACTION, UNMERGE, SEPARATE = PatientMergeAction


def merge(told: str, *, day: int = 1, action: PatientMergeAction = MERGE_ACTION) -> PatientMerge:
    """The merge that is written ``merged > surviving``."""
    merged, surviving = told.split(" > ")
    return PatientMerge("mpi", f"{told} {day} {action}", surviving, merged, Instant(day * US_PER_DAY, 0), action)


# ---------------------------------------------------------------------------------------------
# Who survives
# ---------------------------------------------------------------------------------------------
class Case(NamedTuple):
    """What happened day by day, and what it comes to."""

    told: str
    survivors: dict[str, str]
    concerns: list[Concern]


CASES = {
    "nothing": Case("", {}, []),
    "one": Case("B > A", {"B": "A"}, []),
    "a-chain": Case("C > B, B > A", {"B": "A", "C": "A"}, []),
    "a-chain-from-its-end": Case("B > A, C > B", {"B": "A", "C": "A"}, []),
    "two-into-one": Case("B > A, C > A", {"B": "A", "C": "A"}, []),
    "told-again": Case("B > A, B > A", {"B": "A"}, []),
    "the-same-by-a-detour": Case("C > B, B > A, C > A", {"B": "A", "C": "A"}, []),
    "to-and-fro": Case("B > A, A > B", {"B": "A"}, [Concern.CYCLE]),
    "a-long-cycle": Case("C > B, B > A, A > C", {"B": "A", "C": "A"}, [Concern.CYCLE]),
    "into-somebody-else": Case("B > A, B > D", {"B": "A"}, [Concern.MERGED_ELSEWHERE]),
    "taken-back": Case("B > A, !B > A", {"B": "A"}, [Concern.UNMERGED]),
    "taken-back-and-looked-at": Case("B > A, !B > A, /B > A", {}, []),
    "taken-back-and-right-after-all": Case("B > A, !B > A, B > A", {"B": "A"}, []),
    "apart-and-merged-elsewhere": Case("B > A, B > D, /B > A, B > D", {"B": "D"}, []),
    "elsewhere-was-wrong": Case("B > A, B > D, /B > D", {"B": "A"}, []),
    "the-other-way": Case("B > A, A > B, /B > A, A > B", {"A": "B"}, []),
    "a-cycle-that-was-none": Case("B > A, A > B, B > A", {"B": "A"}, []),
    "out-of-a-chain": Case("C > B, B > A, /C > B", {"B": "A"}, []),
    "apart-who-were-not-merged": Case("C > B, /D > B", {"C": "B"}, []),
    "taken-back-and-merged-elsewhere": Case(
        "B > A, !B > A, B > D", {"B": "A"}, [Concern.UNMERGED, Concern.MERGED_ELSEWHERE]
    ),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_who_survives(case: Case) -> None:
    """The earlier of two that contradict each other holds, and a person is told of the later."""
    actions = {"!": UNMERGE, "/": SEPARATE}
    merges = [
        merge(told.lstrip("!/"), day=day, action=actions.get(told[0], MERGE_ACTION))
        for day, told in enumerate(filter(None, case.told.split(", ")))
    ]
    for order in (merges, merges[::-1]):
        identities = patient_identities(order)
        assert identities.survivors == case.survivors
        assert [concern for _, concern in identities.concerns] == case.concerns


def test_a_long_chain() -> None:
    """Whoever makes one cannot keep the workers busy with it."""
    merges = [merge(f"{number} > {number + 1}", day=number) for number in range(20_000)]

    assert set(patient_identities(merges).survivors.values()) == {"20000"}


@law
@given(st.lists(patient_merges(), max_size=6))
def test_a_survivor_survives(merges: list[PatientMerge]) -> None:
    """Whatever is told, in any order, some of it twice: nobody was merged who stands for somebody."""
    identities = patient_identities(merges)

    assert not identities.survivors.keys() & set(identities.survivors.values())
    assert identities.survivors.keys() <= {one.merged_patient_id for one in merges}
    assert patient_identities([*reversed(merges), *merges]) == identities


# ---------------------------------------------------------------------------------------------
# What a record says
# ---------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("value", "headers"),
    [(json_bytes(MERGE), ()), (json_bytes(MERGE), BINARY), (enveloped(MERGE), STRUCTURED)],
    ids=["bare", "binary", "structured"],
)
def test_a_merge_is_read(value: bytes, headers: Headers) -> None:
    """In every mode; the merge is what is meant where nothing is said."""
    at = Instant(1_738_414_800_000_000, -300)
    assert DECODER.decode_merge(value, headers) == PatientMerge(
        "registration", "event-3", "patient-1", "patient-2", at, MERGE_ACTION
    )


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"merged_patient_id": "patient-1"}, RejectionReason.INVALID),
        ({"surviving_patient_id": ""}, RejectionReason.INVALID),
        ({"action": "undo"}, RejectionReason.INVALID),
        ({"merged_at": "2025-02-01T08:00:00"}, RejectionReason.INVALID_TIME),
    ],
)
def test_what_is_no_merge_says_why(changes: dict[str, str], reason: RejectionReason) -> None:
    """And shows nobody's id."""
    with pytest.raises(RejectedError) as rejected:
        DECODER.decode_merge(json_bytes(MERGE | changes))

    assert rejected.value.reason is reason
    assert "patient-1" not in rejected.value.detail


# ---------------------------------------------------------------------------------------------
# What it does to codes
# ---------------------------------------------------------------------------------------------
class Course(NamedTuple):
    """What is sent of some episodes and of their patients."""

    linked: list[Linked]
    merges: list[PatientMerge]


some_originals = st.lists(st.sampled_from(ORIGINALS), min_size=1, max_size=3, unique=True)
"""Mostly too few to be decided."""


@st.composite
def courses(draw: DrawFn) -> Course:
    """Episodes whose facts name one of three patients, and may have been in another before; and merges of these."""
    patients, before = st.sampled_from(("p1", "p2", "p3")), st.sampled_from((*[None] * 4, *EPISODE_IDS))
    linked = []
    for episode_id in draw(st.lists(st.sampled_from(EPISODE_IDS), min_size=1, unique=True)):
        for fact in draw(histories() | some_originals):
            changed = {"patient_id": draw(patients), "moved_from_episode_id": draw(before)}
            linked.append(Linked(episode_id, msgspec.structs.replace(fact, **changed)))
    return Course(linked, draw(st.lists(patient_merges(), max_size=4)))


def sent_of(linked: Linked, partition: int) -> Sent:
    kind = InputKind.SURVEY if isinstance(linked.fact, Survey) else InputKind.TREATMENT
    return Sent(kind, partition, 1_750_000_000_000, message_bytes(linked.fact, linked.episode_id))


def sent_merge(told: PatientMerge, partition: int = 0) -> Sent:
    return Sent(InputKind.PATIENT_MERGE, partition, 1_750_000_000_000, merge_bytes(told))


def expected(course: Course, tasks: TasksInMemory, episode_id: str) -> dict[str, str] | None:
    """Who is coded, and on which follow-up, by all facts and all merges."""
    decision = decide(tasks.episodes()[episode_id].episode.facts, DEFAULT)
    if not isinstance(decision, Coded):
        return None
    coding = coding_of(decision, DEFAULT, patient_identities(course.merges).survivors)
    return {"patient_id": coding.patient_id, "survey_id": coding.follow_up.survey_id}


def told_of(tasks: TasksInMemory, episode_id: str) -> dict[str, str] | None:
    event = billed(tasks.coding_events(episode_id))
    if event is None:
        return None
    return {"patient_id": event["patient_id"], "survey_id": event["followup"]["survey_id"]}


@law
@given(courses(), st.data(), moments)
def test_codes_go_by_the_surviving_id(course: Course, data: st.DataObject, lived: list[Moment]) -> None:
    """Merges before, between or after the facts, twice, anywhere, with restarts: billing holds the survivor's id."""
    records = [sent_of(linked, data.draw(partitions)) for linked in course.linked]
    records += [sent_merge(told, data.draw(partitions)) for told in course.merges]
    again = data.draw(st.lists(st.sampled_from(records), max_size=3)) if records else []
    tasks = TasksInMemory(DEFAULT, task_count=TASK_COUNT)
    for one in data.draw(st.permutations([*records, *again])):
        tasks.send(one)
    live_through(tasks, lived)

    for episode_id in tasks.episodes():
        assert told_of(tasks, episode_id) == expected(course, tasks, episode_id)
    assert not tasks.records(TOPOLOGY.dead_letter)


@law
@given(courses(), st.data())
def test_the_order_of_arrival_leaves_no_trace(course: Course, data: st.DataObject) -> None:
    """One by one or in one step, the episodes are the same, and so is who survives in them."""
    records = [*(sent_of(one, 0) for one in course.linked), *map(sent_merge, course.merges)]
    records = data.draw(st.permutations(records))
    one_by_one, at_once = TasksInMemory(DEFAULT, task_count=TASK_COUNT), TasksInMemory(DEFAULT, task_count=TASK_COUNT)
    for record in records:
        one_by_one.send(record)
        one_by_one.drain()
    for record in data.draw(st.permutations(records)):
        at_once.send(record)
    at_once.drain()

    known = [
        {id_: (coded.episode, coded.survivors) for id_, coded in tasks.episodes().items()}
        for tasks in (one_by_one, at_once)
    ]
    assert known[0] == known[1]


def lived(*records: Sent) -> TasksInMemory:
    tasks = TasksInMemory(DEFAULT, task_count=TASK_COUNT)
    for record in records:
        tasks.send(record)
        tasks.drain()
    return tasks


CARE = [Linked("episode-1", msgspec.structs.replace(fact, patient_id="B")) for fact in ORIGINALS[:3]]


def test_a_merge_after_the_code_replaces_it() -> None:
    """The claim is under an id that the payer does not know any more: billing is told the other one, once."""
    tasks = lived(*(sent_of(one, 0) for one in CARE), *[sent_merge(merge("B > A"))] * 2, sent_merge(merge("A > C")))

    events = tasks.coding_events("episode-1")
    assert [(event["action"], event["patient_id"]) for event in events] == [
        ("new", "B"),
        ("replace", "A"),
        ("replace", "C"),
    ]


def test_a_merge_before_the_facts() -> None:
    """What comes later under the old id goes by the new one from the start."""
    tasks = lived(sent_merge(merge("B > A")), *(sent_of(one, 0) for one in CARE))

    assert [event["patient_id"] for event in tasks.coding_events("episode-1")] == ["A"]


def test_facts_under_either_id_meet_and_are_no_fault() -> None:
    """Two patients in one episode are to be mended, unless they are one; then it is said which."""
    facts = [CARE[0], *(one._replace(fact=msgspec.structs.replace(one.fact, patient_id="A")) for one in CARE[1:])]
    records = [sent_of(one, 0) for one in facts]
    apart, together = lived(*records), lived(*records, sent_merge(merge("B > A")))
    told = [explain_episode("episode-1", tasks.episodes()["episode-1"], DEFAULT) for tasks in (apart, together)]

    assert ["name 2 patients" in " ".join(one.warnings) for one in told] == [True, False]
    assert told[1].as_json()["merged_patients"] == {"B": "A"}
    assert told_of(apart, "episode-1") == told_of(together, "episode-1")


def test_what_a_survey_leaves_behind_is_of_the_survivor_too() -> None:
    """The episode that it was in knows nothing else: whichever came first, it says by whose id its patient goes."""
    moved = sent_of(Linked("episode-1", survey("s", AFTER, "2", version=2, moved_from="episode-2")), 0)
    told = sent_merge(merge("p1 > A"))
    orders = [lived(moved, told), lived(told, moved)]

    assert [tasks.episodes()["episode-2"].survivors for tasks in orders] == [(("p1", "A"),)] * 2


def test_an_unmerge_changes_nothing() -> None:
    """A person decides."""
    tasks = lived(*(sent_of(one, 0) for one in CARE), sent_merge(merge("B > A")))
    before = tasks.coding_events("episode-1")
    tasks.send(sent_merge(merge("B > A", day=2, action=UNMERGE)))
    tasks.drain()

    assert tasks.coding_events("episode-1") == before


def test_many_merges_at_once() -> None:
    """A cleaning of the register: the episodes are found another way, and are the same."""
    others = [merge(f"X{number} > Y{number}") for number in range(10)]
    tasks = lived(*(sent_of(one, 0) for one in CARE))
    for told in [*others, merge("B > A")]:
        tasks.send(sent_merge(told))
    tasks.drain()

    assert [event["patient_id"] for event in tasks.coding_events("episode-1")] == ["B", "A"]


def test_who_was_looked_at_goes_by_their_own_id_again() -> None:
    """Billing is told so, and whatever comes later is theirs."""
    tasks = lived(*(sent_of(one, 0) for one in CARE), sent_merge(merge("B > A")))
    tasks.send(sent_merge(merge("B > A", day=3, action=SEPARATE)))
    tasks.drain()

    assert [event["patient_id"] for event in tasks.coding_events("episode-1")] == ["B", "A", "B"]
    assert tasks.episodes()["episode-1"].survivors == ()


def test_a_merge_outlives_the_worker() -> None:
    """It is restored with the episodes: what comes after goes by the survivor's id."""
    tasks = lived(sent_merge(merge("B > A")))
    for partition in range(TASK_COUNT):
        tasks.restart(partition)
    for one in CARE:
        tasks.send(sent_of(one, 0))
    tasks.drain()

    assert [event["patient_id"] for event in tasks.coding_events("episode-1")] == ["A"]


def test_a_merge_is_told_to_every_task_once() -> None:
    """Sent twice to two partitions, it travels to the others, and is kept by each of them."""
    tasks = lived(sent_merge(merge("B > A"), 0), sent_merge(merge("B > A"), 1))

    assert len(tasks.records(TOPOLOGY.episodes_rekey)) == TASK_COUNT - 1
    for partition in range(TASK_COUNT):
        assert len([record for record in tasks.changelog(partition) if is_merge_key(record.key or b"")]) == 1


def test_a_merge_that_cannot_be_read_is_a_dead_letter() -> None:
    """A patient cannot be merged into himself."""
    tasks = lived(sent_merge(merge("A > A")))

    (letter,) = tasks.records(TOPOLOGY.dead_letter)
    assert ("g9603-reason", b"invalid") in letter.headers


# ---------------------------------------------------------------------------------------------
# What is left to a person
# ---------------------------------------------------------------------------------------------
def test_the_worklist_says_what_to_do_and_where() -> None:
    """Each with the episodes of whoever is concerned, and in the words of the case."""
    merges = [
        merge("B > A", day=1),
        merge("A > B", day=2),
        merge("B > D", day=3),
        merge("B > A", day=4, action=UNMERGE),
    ]
    episodes = {"A": {"e2", "e1"}, "B": {"e3"}, "D": {"e4"}, "X": {"e5"}}

    assert patients_of_concern(merges) == {"A", "B", "D"}
    items = [item.as_json() for item in worklist(merges, episodes)]
    assert [(item["concern"], item["merged_into"], item["episodes"]) for item in items] == [
        ("cycle", None, ["e1", "e2", "e3"]),
        ("merged_elsewhere", "A", ["e1", "e2", "e3", "e4"]),
        ("unmerged", "A", ["e1", "e2", "e3"]),
    ]
    assert [str(item["to_do"]).split(":")[0].split(",")[0] for item in items] == [
        "B was merged into A before",
        "B was merged into A before",
        "B is not A",
    ]


def test_there_is_nothing_to_do() -> None:
    assert worklist([merge("B > A"), merge("C > B")], {"A": {"e1"}}) == ()
