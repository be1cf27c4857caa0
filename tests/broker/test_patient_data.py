"""Patient data stays in its topics: no canary in logs, errors, added headers, names, process lists or crash output."""

import asyncio
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import aiohttp
import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient

from streams.demo.worker_process import WorkerProcess
from streams.intake.rejection import RejectionReason
from streams.kafka.connection import client_options
from streams.kafka.log_reader import read_log
from streams.local_kafka.local_broker import LocalKafka
from streams.processing.changelog import POSITIONS_KEY, episode_key
from streams.processing.records import InputRecord
from streams.web.pages import ROUTES
from streams.worker.ending import EXIT_DOUBT
from tests.canaries import (
    CANARY,
    HEADERS,
    Sent,
    care,
    each_field_broken,
    found_in,
    found_under,
    merge,
    poison,
    survey,
)
from tests.fleet import WAIT_SECONDS_MAX, Fleet
from tests.worker_with_fault import FAULTS

pytestmark = pytest.mark.kafka

BAD_INPUT = 65
EPISODES = range(1, 9)
ENDING = sorted(set(FAULTS) - {"aside", "agent"})


async def send(fleet: Fleet, records: Iterable[Sent]) -> None:
    """Put *records* on the bus, keyed by canaries: most of them arrive away from home."""
    async with AIOKafkaProducer(**client_options(fleet.connection), linger_ms=5) as producer:
        for number, (topic, value, headers, key) in enumerate(records):
            name = f"{fleet.settings.topic_prefix}{topic}"
            await producer.send(name, value, key=key, headers=list(headers), partition=number % 4)
        await producer.flush()


async def read(fleet: Fleet, topic: str) -> list[InputRecord]:
    """All committed records of *topic*."""
    return [record async for records in read_log(fleet.connection, [topic]) for record in records]


def start_with_fault(fleet: Fleet, fault: str, folder: Path) -> WorkerProcess:
    """Start a worker that has *fault*."""
    command = [sys.executable, "-m", "tests.worker_with_fault", fault]
    return WorkerProcess(fault, fleet.settings, folder / f"{fault}.log", command)


async def ended(worker: WorkerProcess) -> int:
    """The exit code of a worker that ends by itself."""
    return await asyncio.to_thread(worker._process.wait, WAIT_SECONDS_MAX)  # noqa: SLF001 - no signal is to be sent


def words(worker: WorkerProcess, folder: Path) -> str:
    """All that *worker* said."""
    return (folder / f"{worker.name}.log").read_text()


def process_list() -> bytes:
    """The command lines of all processes, as everyone on the machine sees them."""
    return subprocess.run(["ps", "-A", "-ww", "-o", "args"], check=True, capture_output=True).stdout


async def pages(worker: WorkerProcess) -> bytes:
    """All that *worker* tells whoever asks."""
    (port,) = re.findall(r'"port": (\d+)', worker.log_text())
    told = b""
    async with aiohttp.ClientSession() as session:
        for path in ROUTES:
            async with session.get(f"http://127.0.0.1:{port}{path}") as page:
                told += await page.read()
    return told


async def test_a_worker_in_good_order(fleet: Fleet, kafka: LocalKafka, tmp_path: Path) -> None:
    """Codes, corrections away from home, and every kind of poison: canaries are in the topics and nowhere else."""
    worker = fleet.start()
    await send(fleet, [merge(), *care(EPISODES), *poison().values(), *each_field_broken()])
    await fleet.until_done()
    shown = process_list() + await pages(worker)
    for number in (signal.SIGUSR1, signal.SIGUSR2):  # Faust's handlers print local variables, and open a debugger
        os.kill(worker.pid, number)
    await fleet.until(lambda _lag: asyncio.sleep(0, words(worker, tmp_path).count("signal_ignored") == 2), "signals")

    assert await asyncio.to_thread(fleet.stop_all) == [0], fleet.logs()
    assert found_under(tmp_path) == {}
    assert found_in(shown) == []
    assert b"streams worker" in shown
    assert b"g9603_tasks 4.0" in shown
    assert b'"condition":' in shown
    assert kafka.folder is not None
    assert found_in((kafka.folder / "kafka.log").read_bytes()) == []


async def test_what_a_worker_adds_and_names(fleet: Fleet) -> None:
    """Added headers, and the names of topics, groups and clients, hold no canary; values hold them, as they must."""
    fleet.start()
    await send(fleet, [merge(), *care(EPISODES), *poison().values(), *each_field_broken()])
    await fleet.until_done()
    letters = await read(fleet, fleet.topology.dead_letter)
    events = await read(fleet, fleet.topology.coding_events)
    admin = AIOKafkaAdminClient(**client_options(fleet.connection))
    await admin.start()
    names = [*await admin.list_topics(), *(group for group, _ in await admin.list_consumer_groups())]
    groups = await admin.describe_consumer_groups([fleet.settings.app_id])
    await admin.close()

    reasons = {dict(letter.headers)["g9603-reason"].decode() for letter in letters}
    by_episodes = {RejectionReason.EPISODE_FULL, RejectionReason.EPISODE_FORGOTTEN, RejectionReason.NOT_TAKEN_BACK}
    assert reasons == {str(reason) for reason in set(RejectionReason) - by_episodes}
    added = [letter.headers[len(HEADERS) :] for letter in letters]
    assert all([name for name, _ in headers] == list(dict(added[0])) for headers in added)
    assert found_in(repr(added).encode()) == []
    assert found_in(repr([event.headers for event in events]).encode()) == []
    assert found_in(repr(names).encode() + repr(groups).encode()) == []
    assert len(events) == len(EPISODES)
    assert all(found_in(event.value or b"") for event in events), "the search finds what is there"


@pytest.mark.parametrize("fault", ENDING)
async def test_a_worker_that_fails(fleet: Fleet, tmp_path: Path, fault: str) -> None:
    """Whatever the text of an error holds, the last words name its class and its place, and no more."""
    await send(fleet, care(EPISODES))
    worker = start_with_fault(fleet, fault, tmp_path)

    assert await ended(worker) not in (0, None)
    assert found_under(tmp_path) == {}
    assert "ValueError at " in words(worker, tmp_path)
    assert "worker_with_fault.py" in words(worker, tmp_path), "it says where"


async def test_a_worker_whose_agent_fails(fleet: Fleet, tmp_path: Path) -> None:
    """What Faust says of an agent that crashed, again and again, shows nothing of what it crashed on."""
    await send(fleet, care(EPISODES))
    worker = start_with_fault(fleet, "agent", tmp_path)
    try:
        async with asyncio.timeout(WAIT_SECONDS_MAX):
            while "worker_with_fault.py" not in words(worker, tmp_path):
                await asyncio.sleep(0.1)
    finally:
        worker.kill()

    assert found_under(tmp_path) == {}


async def test_a_worker_with_careless_parts(fleet: Fleet, tmp_path: Path) -> None:
    """Lines of libraries, lost tasks, callbacks, threads and destructors: none of them prints what it held."""
    worker = start_with_fault(fleet, "aside", tmp_path)
    fleet.workers.append(worker)
    await send(fleet, care(EPISODES))
    await fleet.until_done()

    assert await asyncio.to_thread(fleet.stop_all) == [0], fleet.logs()
    assert "DROPPED MESSAGE" in words(worker, tmp_path)
    assert words(worker, tmp_path).count("unhandled_error") >= 2, "thread and destructor"
    assert found_under(tmp_path) == {}


async def test_what_a_sender_is_told(fleet: Fleet, tmp_path: Path) -> None:
    """Whoever sends a file learns which line and which field, and not what stands there: a terminal is seen by many."""
    file = tmp_path / "events.ndjson"
    refused = [sent.value for sent in poison().values() if sent.value]
    file.write_bytes(b"\n".join(refused))
    environment = {**os.environ, **fleet.settings.environment()}
    for options in ([], ["--json"]):
        command = [sys.executable, "-m", "streams", "send", str(file), *options]
        ran = await asyncio.to_thread(subprocess.run, command, env=environment, capture_output=True, check=False)

        assert ran.returncode == BAD_INPUT, ran.stderr
        assert found_in(ran.stdout + ran.stderr) == []


async def test_a_foreign_record_on_the_rekey_topic(fleet: Fleet, tmp_path: Path) -> None:
    """What only workers may write is refused with its place, whatever it holds."""
    headers = tuple(
        (f"g9603-rekey-{name}", f"{CANARY}-{name}".encode())
        for name in ("kind", "topic", "partition", "offset", "timestamp")
    )
    rekey = fleet.topology.episodes_rekey.removeprefix(fleet.settings.topic_prefix)
    await send(fleet, [Sent(rekey, survey().value, headers)])
    worker = fleet.start()

    assert await ended(worker) == EXIT_DOUBT
    assert "was not written by a worker of this version" in words(worker, tmp_path)
    assert found_under(tmp_path) == {}
    fleet.workers.clear()


@pytest.mark.parametrize("key", [POSITIONS_KEY, episode_key(f"{CANARY}-episode_id-1")], ids=["positions", "episode"])
async def test_a_changelog_that_cannot_be_read(fleet: Fleet, tmp_path: Path, key: bytes) -> None:
    """The errors of a decoder show what they could not decode; the last words do not."""
    worker = fleet.start()
    await send(fleet, care([1]))
    await fleet.until_done()
    await asyncio.to_thread(fleet.stop_all)
    fleet.workers.clear()
    changelog = fleet.topology.episodes_changelog
    known = episode_key(f"{CANARY}-episode_id-1")
    (place,) = {record.partition for record in await read(fleet, changelog) if record.key == known}
    async with AIOKafkaProducer(**client_options(fleet.connection)) as producer:
        stored = {record.key: record.value or b"" for record in await read(fleet, changelog)}[key]
        broken = (
            stored.replace(b"completed", f"{CANARY}-10".encode()) if key != POSITIONS_KEY else b"\x92\xa6CANARY\x80"
        )
        assert broken != stored
        await producer.send_and_wait(changelog, broken, key=key, partition=place)
    again = [Sent("survey-completed", survey(event_id=f"{CANARY}-again", version=2).value)] * 4
    await send(fleet, again)
    worker = fleet.start()

    assert await ended(worker) != 0
    told = f"{'positions' if key == POSITIONS_KEY else 'an episode'} in a format of another version"
    assert told in words(worker, tmp_path)
    assert found_under(tmp_path) == {}
    fleet.workers.clear()
