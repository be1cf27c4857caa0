"""A guarded process ends when it is told to, and never outlives the process that started it."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from streams.local_kafka.guarded_process import GuardedProcess

PROJECT = Path(__file__).parents[2]

# Starts a guarded child that holds a pipe open, then waits to be ended.
_PARENT = """
import signal
import sys
from pathlib import Path
from streams.local_kafka.guarded_process import GuardedProcess
folder, alive = Path(sys.argv[1]), sys.argv[2]
signal.signal(signal.SIGINT, signal.default_int_handler)  # whoever started us may have ignored it
child = GuardedProcess(["sh", "-c", 'exec sleep 600 > "$0"', alive], folder=folder, log_path=folder / "log")
sys.stdin.read()
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The child's own folder."""
    path = tmp_path / "folder"
    path.mkdir()
    return path


@pytest.fixture
def alive(tmp_path: Path) -> Path:
    """A named pipe: who opens it to read waits for a writer, and reads its end once no writer is alive."""
    path = tmp_path / "alive"
    os.mkfifo(path)
    return path


def shell(script: str, folder: Path, alive: Path) -> GuardedProcess:
    """A guarded shell that runs *script*, with *alive* as `$0`."""
    return GuardedProcess(["sh", "-c", script, str(alive)], folder=folder, log_path=folder / "log")


@pytest.mark.parametrize("ending", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT], ids=lambda ending: ending.name)
def test_dies_with_its_parent(folder: Path, alive: Path, ending: signal.Signals) -> None:
    """Whatever ends the parent, SIGKILL included, ends the child, and its folder goes."""
    command = [sys.executable, "-c", _PARENT, str(folder), str(alive)]
    with subprocess.Popen(command, cwd=PROJECT, stdin=subprocess.PIPE, stderr=subprocess.DEVNULL) as parent:
        with alive.open("rb") as child:
            parent.send_signal(ending)
            assert child.read() == b""  # returns when the child is gone
        parent.wait()

    deadline = time.monotonic() + 10
    while folder.exists():
        assert time.monotonic() < deadline, "the folder is still there"
        time.sleep(0.01)


def test_own_end_is_told(folder: Path, alive: Path) -> None:
    """The exit code and the output of a child that ends by itself are those it gave."""
    with shell("echo said; echo complained >&2; exit 3", folder, alive) as process:
        assert process.wait(10) == 3
    assert (folder / "log").read_text(encoding="utf-8") == "said\ncomplained\n"


def test_wait_is_bounded(folder: Path, alive: Path) -> None:
    """To wait for a child that runs on ends too, with no exit code."""
    with shell("exec sleep 600", folder, alive) as process:
        assert process.wait(0.01) is None
        assert process.exit_code is None


def test_terminate_lets_it_finish(folder: Path, alive: Path) -> None:
    """A child that handles SIGTERM in time ends as it likes, even if it was frozen."""
    with shell('trap "exit 7" TERM; exec 3>"$0"; while :; do sleep 0.01; done', folder, alive) as process:
        with alive.open("rb"):  # from here on it handles SIGTERM
            process.pause()
            process.terminate(grace_seconds=10)
        assert process.exit_code == 7


def test_terminate_does_not_wait_for_ever(folder: Path, alive: Path) -> None:
    """A child that ignores SIGTERM is killed."""
    with shell('trap "" TERM; exec 3>"$0"; while :; do sleep 0.01; done', folder, alive) as process:
        with alive.open("rb"):  # from here on it ignores SIGTERM
            process.terminate(grace_seconds=0.05)
        assert process.exit_code == -signal.SIGKILL


def test_kill_keeps_the_folder(folder: Path, alive: Path) -> None:
    """A killed child leaves its folder as it was; to kill it again is no error."""
    with shell('exec sleep 600 > "$0"', folder, alive) as process, alive.open("rb") as child:
        process.kill()
        assert child.read() == b""
        process.kill()

    assert folder.exists()
