"""A worker's place on its machine: a name that the next worker in the same place has, too.

The transactional id and the group instance id are it. A worker that comes back under the same name fences whatever
is left of the last one, ends its open transaction at once, and has its partitions without a rebalance; under a fresh
name everybody would wait for the time-outs.
"""

import fcntl
import os
import socket
from pathlib import Path
from types import TracebackType
from typing import Self

from streams.worker.refusal import RefusedError

_SLOTS_MAX = 1_000


class WorkerSlot:
    """The lowest free number on this machine, held by a file lock that dies with the process.

    Args:
        data_dir: Local state; one file per slot is made in it.
        app_id: Slots of different applications are different.
    """

    def __init__(self, data_dir: Path, app_id: str) -> None:
        self._folder = data_dir / app_id
        self._app_id = app_id
        self._descriptor = -1
        self.number = -1

    @property
    def name(self) -> str:
        """Unique among living workers, and stable over restarts: transactional id and group instance id."""
        return f"{self._app_id}-{socket.gethostname()}-{self.number}"

    @property
    def words_path(self) -> Path:
        """Where the worker in this slot leaves its last word."""
        return self._folder / f"worker-{self.number}.ending.json"

    def __enter__(self) -> Self:
        """Take the slot.

        Raises:
            RefusedError: The folder cannot be written to, or all numbers are taken.
        """
        try:
            return self._taken()
        except OSError as error:
            message = (
                f"Local state cannot be kept in {self._folder}: {error.strerror or error}. Set G9603_DATA_DIR to a "
                "folder that this user may write to, on a disk that is not full."
            )
            raise RefusedError(message) from error

    def _taken(self) -> Self:
        self._folder.mkdir(parents=True, exist_ok=True)
        for number in range(_SLOTS_MAX):
            descriptor = os.open(self._folder / f"worker-{number}.lock", os.O_RDWR | os.O_CREAT, 0o600)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                os.close(descriptor)
                continue
            self._descriptor, self.number = descriptor, number
            return self
        message = f"{_SLOTS_MAX} workers run on this machine already, by the locks in {self._folder}."
        raise RefusedError(message)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Let the slot go."""
        os.close(self._descriptor)
