"""Stories from FHIR and from HL7 v2 in, through the worker's tasks, to FHIR, HL7 v2, X12 and a database out.

Each artefact is looked at by a judge that others wrote, and the database holds what billing was told at the last.
"""

import json
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import pytest
from sqlalchemy import Engine

from schemas.coding_event import CodingEvent
from schemas.vocabulary import CodingAction
from streams.adapters.choice import adapter_of
from streams.billing.book import BillingBook
from streams.billing.chain import Told
from streams.billing.engine import open_database
from streams.billing.exports.charge_item import charge_item
from streams.billing.exports.claim_line import claim_line
from streams.billing.exports.dft import dft_messages
from streams.billing.reading import read_history
from streams.domain.fact import Fact
from streams.instruments.registry import load_registry
from streams.processing.adapter_topics import MessageStandard
from tests.adapters.messages import fhir_message, hl7v2_message
from tests.billing.test_book import held, passage, records_of
from tests.billing.test_claim_lines import judged as judged_as_x12
from tests.billing.test_exports import judged as judged_as_hl7
from tests.billing.test_exports import valid, valid_claim
from tests.billing_consumer import billed
from tests.episode_notation import facts_of
from tests.policies_for_tests import DEFAULT
from tests.tasks_in_memory import TOPOLOGY, Sent, TasksInMemory

TELL: dict[MessageStandard, Callable[[Fact, str], bytes]] = {
    MessageStandard.FHIR: fhir_message,
    MessageStandard.HL7V2: hl7v2_message,
}


class Story(NamedTuple):
    """An episode as it is told, and what billing is told of it."""

    name: str
    episode: str
    actions: str
    score: str | None = None
    """Of the follow-up of the code that stands."""
    only: MessageStandard | None = None


CARE = "odi 48 @-3d | T | odi 22 @+60d #f"
STORIES = [
    Story("low back pain", "odi 48 @-3d | T | T 62323 @+36d | odi 22 @+82d", "new", "22"),
    Story("no better", "odi 48 @-3d | T | odi 50 @+60d", ""),
    Story("corrected, and still better", f"{CARE} | odi 24 @+60d #f v2 amended", "new replace", "24"),
    Story("corrected, and no better", f"{CARE} | odi 52 @+60d #f v2 amended", "new void"),
    Story("a follow-up of another patient", f"{CARE} | odi 22 @+60d #f v2 void", "new void"),
    Story("taken back, and told again", f"{CARE} | odi 22 @+60d #f v2 void | odi 20 @+70d", "new void new", "20"),
    Story("no treatment after all", "odi 48 @-3d | T #t | odi 22 @+60d | T #t v2 void", "new void"),
    Story("the baseline comes last", "T | odi 22 @+60d | odi 48 @-3d", "new", "22"),
    Story("a better baseline comes late", "odi 48 @-30d | T | odi 22 @+60d | odi 20 @-1d", "new void"),
    Story("an evaluation treats nothing", "odi 48 @-3d | T 97161 | odi 22 @+60d", ""),
    Story("depression", "phq9 18 @-5d | T 90834 | phq9 7 @+50d", "new", "7"),
    Story("where more is better", "promis_pf/2.0 35.5 @-3d | T | promis_pf/2.0 42.1 @+40d", "new", "42.1"),
    Story("after a year and a day", "odi 48 @-3d | T | odi 22 @+366d", ""),
    Story("a daughter answers", "odi 48 @-3d | T | odi 22 @+60d proxy", "", only=MessageStandard.FHIR),
]


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """One of billing's for all stories, each with a topic of its own; tests/billing has other databases, too."""
    engine = open_database(f"sqlite:///{tmp_path_factory.mktemp('billing') / 'billing.sqlite'}")
    yield engine
    engine.dispose()


def told_to_billing(standard: MessageStandard, episode: str, episode_id: str) -> list[dict[str, Any]]:
    """What the worker's tasks tell of an *episode* that comes a message at a time."""
    adapter = adapter_of(standard, None, load_registry())
    tasks = TasksInMemory(DEFAULT)
    topics = {kind: topic for topic, kind in TOPOLOGY.kinds.items()}
    for at, fact in enumerate(facts_of(episode)):
        adaptation = adapter.adapt(TELL[standard](fact, episode_id))
        assert not adaptation.faults
        for event in adaptation.events:
            tasks.send(Sent(topics[event.kind], 0, at, event.value))
        tasks.drain()
    assert not tasks.records(TOPOLOGY.dead_letter)
    return tasks.coding_events(episode_id)


@pytest.mark.parametrize(
    ("story", "standard"),
    [
        pytest.param(story, standard, id=f"{story.name}, {standard}")
        for story in STORIES
        for standard in MessageStandard
        if story.only in {None, standard}
    ],
)
def test_a_story(story: Story, standard: MessageStandard, database: Engine) -> None:
    """In by one standard, out by three and into a database: each artefact valid, and the net state the same in all."""
    episode_id = f"{story.name}, {standard}"
    told = told_to_billing(standard, story.episode, episode_id)
    assert " ".join(event["action"] for event in told) == story.actions
    standing = billed(told)
    if told:
        book = BillingBook(database, episode_id)
        book.positions([0])
        book.write([passage(records_of(told))])
    with database.begin() as connection:
        history = [change for change in read_history(connection) if change.event.episode_id == episode_id]

    expected = {standing["event_id"]} if standing is not None else set()
    assert held(database).get(episode_id) == (standing and standing["event_id"])
    assert charged_by_hl7(history) == active_claims(history) == expected
    for change in history:
        is_void = change.event.action is CodingAction.VOID
        assert valid(charge_item(change.event)).status == ("entered-in-error" if is_void else "billable")
    assert (standing and standing["followup"]["score"]) == story.score


def test_all_stories_on_claims() -> None:
    """One interchange with a claim for each change: originals, replacements and voids, taken by the judge."""
    lines = []
    for story in STORIES:
        told = list(map(CodingEvent.model_validate, told_to_billing(MessageStandard.FHIR, story.episode, story.name)))
        priors = [None, *told]
        for prior, event in zip(priors, told, strict=False):
            line = claim_line(Told(prior if event.prior_event_id is not None else None, event))
            assert line is not None
            lines.append(line)

    assert {line["frequency_code"] for line in lines} == {"1", "7", "8"}
    assert not judged_as_x12(*lines)
    assert judged_as_x12(*lines, lines[0] | {"diagnoses": []}), "it would say it"


def charged_by_hl7(history: list[Told]) -> set[str]:
    """What is charged after all of the messages."""
    balance: Counter[str] = Counter()
    for change in history:
        for message in dft_messages(change):
            balance.update({charge: 1 if kind == "CG" else -1 for kind, charge in judged_as_hl7(message)})
    return {charge for charge, count in balance.items() if count}


def active_claims(history: list[Told]) -> set[str]:
    """What is claimed after all of the Claims, each in the place of its identifier's, and of the one it replaces."""
    claims: dict[str, str] = {}
    for change in history:
        made = json.loads(valid_claim(change).model_dump_json())
        claims[made["id"]] = made["status"]
        claims |= {related["claim"]["identifier"]["value"]: "replaced" for related in made.get("related", ())}
    return {claim_id for claim_id, status in claims.items() if status == "active"}
