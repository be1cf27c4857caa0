"""Where a worker cannot keep its place it says so, and which setting mends that."""

from pathlib import Path

import pytest

from streams.worker.refusal import RefusedError
from streams.worker.slot import WorkerSlot


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    """A refusal in a sentence, which ends the worker as misconfigured; a bare error would end it as crashed."""
    file = tmp_path / "a-file"
    file.touch()

    with pytest.raises(RefusedError, match=r"Not a directory\. Set G9603_DATA_DIR"), WorkerSlot(file / "state", "app"):
        pass


def test_two_workers_have_two_places(tmp_path: Path) -> None:
    """The lowest free number each; what one has let go, the next one gets."""
    with WorkerSlot(tmp_path, "app") as first:
        with WorkerSlot(tmp_path, "app") as second:
            assert (first.number, second.number) == (0, 1)
        with WorkerSlot(tmp_path, "app") as third:
            assert third.number == 1
