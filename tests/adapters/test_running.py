"""What a run of messages comes to in records, and what `g9603 adapter map` prints; no broker."""

import json
from pathlib import Path

import orjson
import pytest
from typer.testing import CliRunner

from streams.adapters.choice import adapter_of
from streams.adapters.running import MessageProcessor
from streams.cli.application import cli
from streams.instruments.registry import load_registry
from streams.kafka.sealing import Sealing
from streams.processing.adapter_topics import AdapterTopics, MessageStandard
from streams.processing.dead_letter_source import letter_source, received_headers
from streams.processing.encryption import EnvelopeCipher
from streams.processing.encryption_keys import parse_keys
from streams.processing.partitioning import home_partition
from streams.processing.topology import Topology
from tests.adapters.test_fhir import ALONE, GOLDEN, SCORE, TREATED, but
from tests.tasks_in_memory import Record

TOPICS = AdapterTopics(MessageStandard.FHIR, Topology("coder", "clinic-"))
COUNTS = {"clinic-survey-completed": 8, "clinic-treatment-recorded": 4, TOPICS.dead_letter: 2}
MAPPING = GOLDEN / "mapping.toml"
CIPHER = EnvelopeCipher(parse_keys("2026-01:" + "AQEB" * 10 + "AQE="))
PARENT = ("traceparent", b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")


def processor(*, sealed: bool = False) -> MessageProcessor:
    sealing = Sealing(CIPHER if sealed else None, TOPICS.topology)
    return MessageProcessor(adapter_of(MessageStandard.FHIR, MAPPING, load_registry()), TOPICS, COUNTS, sealing)


def record(message: object, *, offset: int = 0) -> Record:
    return Record(TOPICS.messages, 5, offset, 0, b"key", orjson.dumps(message), [("x", b"1"), PARENT])


def test_events_go_home() -> None:
    """To their inputs, keyed by episode, where a worker has them at home; a trace goes on."""
    done = processor().process([record(ALONE), record(TREATED)])

    assert [(r.topic, r.partition, r.key, r.headers) for r in done.records] == [
        ("clinic-survey-completed", home_partition("episode-7", 8), b"episode-7", (PARENT,)),
        ("clinic-treatment-recorded", home_partition("episode-7", 4), b"episode-7", (PARENT,)),
    ]
    assert done.tally.messages == 2
    assert done.tally.events == {"survey-completed": 1, "treatment-recorded": 1}


def test_a_dead_letter_is_what_was_received() -> None:
    """With the reason of the first fault, and what the first few say; one letter a message."""
    faulty = but(SCORE, subject=None)
    bundle = {"resourceType": "Bundle", "entry": [{"resource": r} for r in (faulty, SCORE, *[faulty] * 4)]}
    received = record(bundle, offset=7)
    event, letter = processor().process([received]).records

    assert event.topic == "clinic-survey-completed"
    assert (letter.topic, letter.partition, letter.key, letter.value) == (TOPICS.dead_letter, 1, b"key", received.value)
    assert list(received_headers(letter.headers)) == list(received.headers)
    source = letter_source(letter.headers)
    assert source is not None
    assert str(source) == f"{TOPICS.messages}-5@7"
    assert source.reason == "not_told"
    assert source.detail.startswith("entry[0] (Observation) does not tell patient_id")
    assert source.detail.endswith("And 2 more.")


def test_dead_letters_are_sealed_where_there_are_keys() -> None:
    """As those of a worker are, and opened as those."""
    (letter,) = processor(sealed=True).process([record(but(SCORE, subject=None))]).records
    lying = Record(letter.topic, letter.partition, 0, 0, letter.key, letter.value, letter.headers)

    assert b"patient" not in (letter.value or b"")
    assert json.loads(Sealing(CIPHER, TOPICS.topology).opened_letter(lying).value or b"") == but(SCORE, subject=None)


def test_a_map_of_files(tmp_path: Path) -> None:
    """Events on standard output, faults on standard error, and an exit code."""
    good, bad = tmp_path / "good.json", tmp_path / "bad.json"
    good.write_bytes(orjson.dumps(TREATED))
    bad.write_bytes(orjson.dumps(but(ALONE, subject=None)))
    asked = ["adapter", "map", "fhir", str(good), str(bad), "-", "--mapping", str(MAPPING)]

    told = CliRunner().invoke(cli, asked, input=orjson.dumps({"resourceType": "Medication"}))

    assert [json.loads(line)["treatment_id"] for line in told.stdout.splitlines()] == ["treatment-1"]
    assert f"{bad}: not_told: QuestionnaireResponse does not tell patient_id (subject)." in told.stderr
    assert "no event of ours: 1 other type" in told.stderr
    assert told.exit_code == 65


@pytest.mark.parametrize(
    ("arguments", "code"), [(["nowhere.json"], 65), (["-", "--mapping", "nowhere.toml"], 78)], ids=["file", "mapping"]
)
def test_what_cannot_be_read(arguments: list[str], code: int) -> None:
    told = CliRunner().invoke(cli, ["adapter", "map", "fhir", *arguments], input=b"{}")

    assert told.exit_code == code
    assert "cannot be read" in told.stderr
