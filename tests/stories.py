"""Eleven stories of one episode each, told to the worker's tasks day by day, and explained at the end.

``python -m tests.stories FOLDER`` writes the page about each of them, to be looked at.
"""

import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from msgspec import structs

from streams.domain.fact import Fact, Survey
from streams.domain.instant import Instant
from streams.domain.patient_merge import PatientMerge
from streams.domain.policy import Policy, ThresholdKind
from streams.explanation.episode import EpisodeExplanation, explain_episode
from streams.explanation.episode_page import episode_page
from streams.processing.task_time import DECIDE_ANEW
from streams.processing.topology import InputKind
from tests.episode_notation import NOON_US, facts_of
from tests.messages import merge_bytes, message_bytes
from tests.policies_for_tests import ALL_CODES, DEFAULT, by_threshold
from tests.tasks_in_memory import TOPOLOGY, Sent, TasksInMemory

EPISODE = "EP-000001"
_OTHER = "EP-000002"
_MS_PER_DAY = 86_400_000
_DAY_ZERO_MS = NOON_US // 1_000
_EVERY_CODE = replace(DEFAULT, published_codes=ALL_CODES)
_STRICT = replace(by_threshold(ThresholdKind.POINTS, "12"), version="8")

Chapter = Callable[[TasksInMemory], None]
"""What happens next."""


@dataclass(frozen=True)
class Story:
    """What happens to one episode.

    Attributes:
        chapters: In their order; after each everything is read.
        actions: What billing is told, one after the other.
        says: A part of what the explanation says in the end.
        policy: The rules at the begin.
        policy_then: Those at the end, where they are others.
    """

    chapters: tuple[Chapter, ...]
    actions: str
    says: str
    policy: Policy = DEFAULT
    policy_then: Policy | None = None


def arrives(line: str, day: int = 0, *, episode_id: str = EPISODE, **fields: str) -> Chapter:
    """The facts of *line* arrive on *day*, with *fields* in place of their own."""

    def happen(tasks: TasksInMemory) -> None:
        for fact in facts_of(line):
            tasks.send(_record(structs.replace(fact, **fields), episode_id, day))

    return happen


def is_merged(merged: str, surviving: str, day: int) -> Chapter:
    """Two ids turn out to be one patient's."""
    merge = PatientMerge("mpi", "merge-1", surviving, merged, Instant(NOON_US, 0))
    value, timestamp_ms = merge_bytes(merge), _DAY_ZERO_MS + day * _MS_PER_DAY
    return lambda tasks: tasks.send(Sent(InputKind.PATIENT_MERGE, 0, timestamp_ms, value))


def ticks(day: int, value: bytes = b"") -> Chapter:
    """Time has passed."""
    return lambda tasks: tasks.send(Sent(TOPOLOGY.ticks, 0, _DAY_ZERO_MS + day * _MS_PER_DAY, value))


def switches(policy: Policy) -> Chapter:
    """The workers are started with another policy."""
    return lambda tasks: tasks.switch(policy)


def _record(fact: Fact, episode_id: str, day: int) -> Sent:
    kind = InputKind.SURVEY if isinstance(fact, Survey) else InputKind.TREATMENT
    return Sent(kind, 0, _DAY_ZERO_MS + day * _MS_PER_DAY, message_bytes(fact, episode_id))


_CARE = "odi 48 @-3d #b | T #t | odi 22 @+60d #f"
STORIES = {
    "low back pain": Story(
        (arrives("odi 48 @-3d | T 97110 | T 99214 @+20d | T 62323 @+36d", 36), arrives("odi 22 @+82d ev:f #f", 82)),
        "new",
        "26 lower than the baseline",
    ),
    "a void after billing": Story(
        (arrives(_CARE, 60), arrives("odi 22 @+60d #f ev:f2 v2 void", 75)), "new void", "entered in error"
    ),
    "a better baseline comes late": Story(
        (arrives(_CARE, 60), arrives("odi 20 @-1d #late ev:late", 90)), "new void", "No follow-up on odi is improved"
    ),
    "a merged patient": Story(
        (arrives(_CARE, 60), is_merged("patient-1", "patient-7", 70)), "new replace", "patient-7"
    ),
    "a moved survey": Story(
        (
            arrives(_CARE, 60),
            arrives("odi 22 @+60d #f ev:f2 v2 amended", 70, episode_id=_OTHER, moved_from_episode_id=EPISODE),
        ),
        "new void",
        f"moved to episode {_OTHER}",
    ),
    "a proxy": Story(
        (arrives("odi 48 @-3d | T | odi 22 @+60d proxy", 60),), "", "somebody whose answers the policy does not take"
    ),
    "a version that does not match": Story(
        (arrives("odi/2.1a 48 @-3d | T | odi/2.0 22 @+60d", 60),), "", "only equal versions are compared"
    ),
    "a window that closed": Story(
        (arrives("odi 48 @-3d | T", 1), ticks(367)), "new", "the window closed on 2026-01-15", _EVERY_CODE
    ),
    "an unknown payer": Story((arrives(_CARE, 60, payer_id="payer-nobody-knows"),), "new", "hold"),
    "past the filing limit": Story((arrives(_CARE, 250, payer_id="aetna"),), "new", "filing limit"),
    "a switch of the policy": Story(
        (arrives("odi 48 @-3d | T | odi 40 @+60d", 60), switches(_STRICT), ticks(61, DECIDE_ANEW)),
        "new void",
        "lower than the baseline's by 12 or more",
        policy_then=_STRICT,
    ),
}


def told(story: Story) -> tuple[str, EpisodeExplanation]:
    """What billing is told in *story*, and the explanation at its end."""
    tasks = TasksInMemory(story.policy)
    for chapter in story.chapters:
        chapter(tasks)
        tasks.drain()
    actions = " ".join(event["action"] for event in tasks.coding_events(EPISODE))
    policy = story.policy_then or story.policy
    coded = tasks.episodes()[EPISODE]
    return actions, explain_episode(EPISODE, coded, policy, as_of_ms=tasks.tasks[0].time.as_of_ms)


def pages(folder: Path, names: Iterable[str] = STORIES) -> None:
    """Write the page at the end of each story into *folder*."""
    for name in names:
        story = STORIES[name]
        page = episode_page(told(story)[1], story.policy_then or story.policy)
        (folder / f"{name.replace(' ', '-')}.html").write_text(page)


if __name__ == "__main__":
    pages(Path(sys.argv[1]))
