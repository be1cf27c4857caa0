"""Sealed state is the same state: it cannot be read where it lies, and what is restored is what was written."""

from collections.abc import Iterable
from pathlib import Path

import orjson
import pytest

from streams.kafka.sealing import Sealing, sealing
from streams.processing.changelog import POSITIONS_KEY, decode_positions
from streams.processing.encryption import is_sealed
from streams.processing.encryption_keys import KeysRefusedError
from streams.processing.topology import InputKind
from streams.settings import Settings
from streams.worker.refusal import RefusedError
from tests.care import Message, care, follow_up
from tests.driver import TOPOLOGY, TopicsInMemory, WorkerDriver
from tests.unit.test_encryption import NEW, OLD, cipher

PLAIN = Sealing(None, TOPOLOGY)
BEFORE = Sealing(cipher(OLD), TOPOLOGY)
ROTATED = Sealing(cipher(NEW, OLD), TOPOLOGY)
ANOTHER = Sealing(cipher(NEW), TOPOLOGY)

EPISODE = "E1"
CODED = [*care(EPISODE), Message("", InputKind.SURVEY, b"E1-patient, but no JSON")]
CORRECTED = [follow_up(EPISODE, version=2, score="1")]


async def worked(topics: TopicsInMemory, messages: Iterable[Message], sealing: Sealing) -> None:
    """A worker with *sealing* of its own reads *messages*, after all that was there before."""
    for message in messages:
        topics.send(TOPOLOGY.sources[list(InputKind).index(message.kind)], 0, message.value)
    driver = WorkerDriver(topics, sealing=sealing)
    await driver.rebalance(0)
    await driver.drain()
    assert driver.failures == []
    await driver.manager.close()


def told(topics: TopicsInMemory) -> list[tuple[int, str]]:
    """Revision and action of every coding event."""
    events = [orjson.loads(record.value or b"") for record in topics.records(TOPOLOGY.coding_events)]
    return [(event["revision"], event["action"]) for event in events]


@pytest.mark.parametrize(
    ("first", "then"),
    [(PLAIN, PLAIN), (BEFORE, BEFORE), (BEFORE, ROTATED), (PLAIN, BEFORE)],
    ids=["never", "always", "rotated", "from_now_on"],
)
async def test_the_next_worker_goes_on(first: Sealing, then: Sealing) -> None:
    """Whatever was sealed, and with which of the keys: the state is the one that was left."""
    topics = TopicsInMemory(task_count=1)
    await worked(topics, CODED, first)
    await worked(topics, CORRECTED, then)

    assert told(topics) == [(1, "new"), (2, "replace")]


async def test_what_lies_in_the_topics_cannot_be_read() -> None:
    """Neither episodes nor dead letters; the positions and the reasons can."""
    topics = TopicsInMemory(task_count=1)
    await worked(topics, CODED, BEFORE)

    *episodes, positions = topics.records(TOPOLOGY.episodes_changelog)
    (letter,) = topics.records(TOPOLOGY.dead_letter)
    assert all(is_sealed(record.value or b"") for record in (*episodes, letter))
    assert b"E1-patient" not in b"".join(record.value or b"" for record in (*episodes, letter))
    assert positions.key == POSITIONS_KEY
    assert decode_positions(positions.value or b"").next_offsets
    assert dict(letter.headers)["g9603-reason"] == b"not_json"
    assert BEFORE.opened_letter(letter).value == CODED[-1].value


@pytest.mark.parametrize(
    ("sealing", "says"),
    [(PLAIN, "there is no key here: set G9603_ENCRYPTION_KEYS_FILE"), (ANOTHER, "sealed with the key '2026-01'")],
    ids=["no_key", "another_key"],
)
async def test_without_the_key_a_worker_refuses_to_begin(sealing: Sealing, says: str) -> None:
    """It does not take sealed bytes for an empty state, and code everything again."""
    topics = TopicsInMemory(task_count=1)
    await worked(topics, CODED, BEFORE)

    with pytest.raises(RefusedError, match=says):
        await WorkerDriver(topics, sealing=sealing).rebalance(0)


def test_a_file_that_is_no_text_holds_no_keys(tmp_path: Path) -> None:
    """Random bytes, from a sender who left base64 out, are refused in a sentence."""
    file = tmp_path / "keys"
    file.write_bytes(bytes(range(128, 160)))
    file.chmod(0o600)

    with pytest.raises(KeysRefusedError, match="Line 1 is no id:key"):
        sealing(Settings(encryption_keys_file=file), TOPOLOGY)
