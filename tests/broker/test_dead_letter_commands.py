"""`g9603 dead-letter`: what is still dead, and sending it again, at most once, whatever happens on the way."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from streams.cli.application import cli
from streams.dead_letters.replaying import REPLAYED_FROM
from streams.demo.health_system.wire import InputRecord
from streams.kafka.log_reader import read_log
from streams.processing.dead_letter import ADDED
from tests.fleet import Fleet
from tests.killed_replay import LETTERS_PER_TRANSACTION

pytestmark = pytest.mark.kafka

KILLED_REPLAY = Path(__file__).parents[1] / "killed_replay.py"
NAME = "Rosalind Mustermann"
GARBAGE = [
    InputRecord("survey-completed", b"E%d" % n, f'{{"name": "{NAME} {n}"'.encode(), (("ce_id", b"%d" % n),), "garbage")
    for n in range(3 * LETTERS_PER_TRANSACTION)
]
EMPTY = InputRecord("treatment-recorded", NAME.encode(), b"", (), "garbage")


async def dead_letter(fleet: Fleet, *arguments: str) -> Result:
    environment = fleet.settings.environment()
    return await asyncio.to_thread(CliRunner().invoke, cli, ["dead-letter", *arguments], env=environment)


async def listed(fleet: Fleet) -> dict[str, Any]:
    result = await dead_letter(fleet, "list", "--json")
    assert result.exit_code == 0, result.output
    told: dict[str, Any] = json.loads(result.stdout)
    return told


async def bring_letters(fleet: Fleet) -> None:
    """Have a worker put what cannot be read into the dead letters."""
    fleet.start()
    await fleet.send([*GARBAGE, EMPTY])
    await fleet.until_done()


async def sent_again(fleet: Fleet) -> Counter[str]:
    """How often each letter is in the inputs again, by what marks it."""
    marks: Counter[str] = Counter()
    async for records in read_log(fleet.connection, fleet.topology.kinds):
        marks.update(dict(record.headers)[REPLAYED_FROM].decode() for record in records if marked(record.headers))
    return marks


def marked(headers: Any) -> bool:  # noqa: ANN401 - aiokafka has no types
    return any(name == REPLAYED_FROM for name, _ in headers)


async def test_patient_data_is_shown_only_when_asked_for(fleet: Fleet) -> None:
    """Neither the list nor a letter shows what was received; with --show-value the letter does, to the byte."""
    await bring_letters(fleet)
    told = await listed(fleet)
    one = next(letter["id"] for letter in told["letters"] if letter["reason"] == "not_json")
    by_reason = await dead_letter(fleet, "list", "--reason", "empty", "--json")
    quiet = [await dead_letter(fleet, *arguments) for arguments in (("list",), ("show", one), ("show", one, "--json"))]
    open_ = [await dead_letter(fleet, "show", one, "--show-value", *more) for more in ((), ("--json",))]

    assert told["still_dead_by_reason"] == {"not_json": len(GARBAGE), "empty": 1}
    assert [letter["reason"] for letter in json.loads(by_reason.stdout)["letters"]] == ["empty"]
    assert not any(NAME in result.output for result in quiet)
    assert all(NAME in result.output for result in open_)
    received = json.loads(open_[1].stdout)
    original = {(record.key or b"").decode(): record for record in GARBAGE}[received["key"]["text"]]
    assert (received["value"], received["headers"]) == (
        {"text": original.value.decode()},
        [{"name": name, "text": value.decode()} for name, value in original.headers],
    )


@pytest.mark.parametrize("when", ["before", "after"])
async def test_each_letter_is_sent_again_at_most_once(fleet: Fleet, when: str) -> None:
    """A replay that is killed at the end of a transaction, and repeated, doubles nothing and forgets nothing."""
    await bring_letters(fleet)
    letters = {f"{fleet.topology.dead_letter}-{letter['id']}" for letter in (await listed(fleet))["letters"]}
    await asyncio.to_thread(fleet.stop_all)
    fleet.workers.clear()

    killed = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, str(KILLED_REPLAY), when, "2"],
        env={**os.environ, **fleet.settings.environment()},
        cwd=KILLED_REPLAY.parents[1],
        check=False,
        capture_output=True,
    )
    assert killed.returncode == -signal.SIGKILL, killed.stderr.decode()
    left = (await listed(fleet))["still_dead"]
    again = await dead_letter(fleet, "replay", "--all", "--json")
    once_more = await dead_letter(fleet, "replay", "--all", "--json")

    committed = 1 if when == "before" else 2
    assert left == len(letters) - committed * LETTERS_PER_TRANSACTION
    assert [json.loads(result.stdout)["replayed"] for result in (again, once_more)] == [left, 0]
    assert await sent_again(fleet) == dict.fromkeys(letters, 1)
    assert await as_received(fleet) == Counter((record.key, record.value) for record in [*GARBAGE, EMPTY])

    fleet.start()
    await fleet.until_done()
    told = await listed(fleet)
    assert (told["still_dead"], told["replayed"]) == (len(letters), len(letters))
    assert {letter["replay_of"] for letter in told["letters"]} == letters
    await fleet.recounted()


async def as_received(fleet: Fleet) -> Counter[tuple[bytes | None, bytes | None]]:
    """The key and value of what was sent again."""
    found: Counter[tuple[bytes | None, bytes | None]] = Counter()
    async for records in read_log(fleet.connection, fleet.topology.kinds):
        found.update((record.key, record.value) for record in records if marked(record.headers))
        assert not any(name in ADDED for record in records for name, _ in record.headers)
    return found


async def test_only_what_was_chosen_is_sent_again(fleet: Fleet) -> None:
    """By id or by reason; an id that is none is told, and to choose nothing is a mistake."""
    await bring_letters(fleet)
    one = next(letter["id"] for letter in (await listed(fleet))["letters"] if letter["reason"] == "not_json")

    planned = await dead_letter(fleet, "replay", "--reason", "empty", "--dry-run", "--json")
    by_id, again = [await dead_letter(fleet, "replay", one, "--json") for _ in range(2)]
    refused = [await dead_letter(fleet, "replay", *what) for what in ((), ("--all", "--reason", "empty"), ("nobody",))]

    assert json.loads(planned.stdout)["by_reason"] == {"empty": 1}
    assert json.loads(by_id.stdout)["by_reason"] == {"not_json": 1}
    assert (by_id.exit_code, again.exit_code) == (0, 1)
    assert "were not sent again now" in again.output
    assert [result.exit_code for result in refused] == [2, 2, 2]
    assert await sent_again(fleet) == {f"{fleet.topology.dead_letter}-{one}": 1}
