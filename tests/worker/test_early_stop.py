"""A worker that is told to stop before it has joined its group."""

import asyncio
import json
import signal
import socket
from pathlib import Path

import pytest

from streams.settings import Settings
from tests.chaos.worker_under_test import WorkerUnderTest

_POLL_SECONDS = 0.01


def _started(folder: Path, port: int) -> WorkerUnderTest:
    settings = Settings(bootstrap_servers=f"127.0.0.1:{port}", data_dir=folder / "state")
    return WorkerUnderTest("worker", settings, folder / "worker.log")


async def _until_it_listens(worker: WorkerUnderTest) -> None:
    while not worker.catches(signal.SIGTERM):
        assert worker.running
        await asyncio.sleep(_POLL_SECONDS)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_while_it_is_importing(tmp_path: Path, number: signal.Signals) -> None:
    """It ends with 0, and says so: a container whose first process took no signals would be killed after a while."""
    with socket.create_server(("127.0.0.1", 0)) as silent_broker:
        worker = _started(tmp_path, silent_broker.getsockname()[1])
        await _until_it_listens(worker)
        worker.send_signal(number)

        assert await asyncio.to_thread(worker.wait, 30) == 0

    last = json.loads(worker.log_text().splitlines()[-1])
    assert (last["event"], last["signal"]) == ("worker_stopped_before_joining", number.name)


async def test_while_it_asks_a_broker_that_does_not_answer(tmp_path: Path) -> None:
    """The preflight waits for answers, and not for as long as a supervisor would."""
    with socket.create_server(("127.0.0.1", 0)) as silent_broker:
        worker = _started(tmp_path, silent_broker.getsockname()[1])
        connection, _ = await asyncio.to_thread(silent_broker.accept)
        with connection:
            worker.terminate()

            assert await asyncio.to_thread(worker.wait, 30) == 0

    assert json.loads(worker.log_text().splitlines()[-1])["event"] == "worker_stopped_before_joining"
