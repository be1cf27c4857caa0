"""With keys set, nobody who reads the brokers' disks reads patients' data of ours; the work is the same."""

import asyncio
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from streams.cli.application import cli
from streams.processing.changelog import is_episode_key
from streams.settings import Settings
from streams.worker.ending import EXIT_REFUSED
from tests.broker.test_patient_data import read, send
from tests.canaries import CANARY, care, found_in, poison
from tests.fleet import Fleet
from tests.secret_files import secret_file
from tests.unit.test_encryption import NEW, OLD

pytestmark = pytest.mark.kafka


def with_keys(fleet: Fleet, folder: Path, *lines: str) -> None:
    """From now on workers of *fleet*, and whoever reads after them, have the keys in *lines*."""
    file = secret_file(folder, "\n".join(lines))
    fleet.settings = fleet.settings.model_copy(update={"encryption_keys_file": file})


async def explain(settings: Settings, *options: str) -> Result:
    """What ``g9603 explain`` says of the first episode."""
    arguments = ["explain", f"{CANARY}-episode_id-1", *options]
    return await asyncio.to_thread(CliRunner().invoke, cli, arguments, env=settings.environment())


async def test_sealed_from_the_first_record_on_and_after_a_rotation(fleet: Fleet, tmp_path: Path) -> None:
    """Values of episodes and dead letters show nothing; the next worker, with a new key, goes on; explain opens."""
    with_keys(fleet, tmp_path, OLD)
    fleet.start()
    await send(fleet, [*care(range(4)), *poison().values()])
    await fleet.until_done()
    assert await asyncio.to_thread(fleet.stop_all) == [0]
    fleet.workers.clear()

    with_keys(fleet, tmp_path, NEW, OLD)
    fleet.start()
    await send(fleet, care(range(3, 8)))
    await fleet.until_done()

    await fleet.recounted()
    episodes = [r for r in await read(fleet, fleet.topology.episodes_changelog) if is_episode_key(r.key or b"")]
    letters = await read(fleet, fleet.topology.dead_letter)
    assert found_in(b"".join(record.value or b"" for record in (*episodes, *letters))) == []
    assert found_in(b"".join(record.key or b"" for record in letters)) == []
    explained = await explain(fleet.settings, "--json")
    assert explained.exit_code == 0, explained.stderr
    assert json.loads(explained.stdout)["decision"]["code"] == "G9603"


async def test_without_the_key_a_worker_ends_and_says_what_is_missing(fleet: Fleet, tmp_path: Path) -> None:
    """And explain does; neither takes the episodes for new ones."""
    keyless = fleet.settings
    with_keys(fleet, tmp_path, OLD)
    fleet.start()
    await send(fleet, care([1]))
    await fleet.until_done()
    assert await asyncio.to_thread(fleet.stop_all) == [0]
    fleet.workers.clear()

    worker = fleet.start(keyless)
    assert await fleet.ended(worker) == EXIT_REFUSED
    assert "set G9603_ENCRYPTION_KEYS_FILE" in worker.log_text()
    explained = await explain(keyless)
    assert explained.exit_code == EXIT_REFUSED
    assert "set G9603_ENCRYPTION_KEYS_FILE" in explained.stderr
