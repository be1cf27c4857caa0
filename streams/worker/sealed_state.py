"""State that is sealed where it lies: a writer and a restorer around those that know nothing of it."""

import asyncio
from collections.abc import Collection
from dataclasses import replace

from streams.kafka.sealing import Sealing
from streams.processing.encryption import EncryptionError
from streams.processing.stored_episode import check_format
from streams.worker.refusal import RefusedError
from streams.worker.restorer import RestoredPartition
from streams.worker.step import Step, StepWriter
from streams.worker.task_manager import Restorer

_VALUES_A_TURN = 1_000


class SealedWriter:
    """Seals each step, then writes it."""

    def __init__(self, writer: StepWriter, sealing: Sealing) -> None:
        self._writer = writer
        self._sealing = sealing

    async def open(self) -> None:
        """Become the one writer under this name."""
        await self._writer.open()

    async def write(self, step: Step) -> None:
        """Commit *step*, sealed, as one transaction."""
        if self._sealing.seals:
            step = replace(step, records=[self._sealing.sealed(record) for record in step.records])
        await self._writer.write(step)

    async def close(self) -> None:
        """Let go."""
        await self._writer.close()


class SealedRestorer:
    """Opens what another restorer has read."""

    def __init__(self, restorer: Restorer, sealing: Sealing) -> None:
        self._restorer = restorer
        self._sealing = sealing

    @property
    def records_read(self) -> int:
        """Of all restores together."""
        return self._restorer.records_read

    @property
    def records_remaining(self) -> int:
        """Offsets that the restore under way has yet to pass."""
        return self._restorer.records_remaining

    async def restore(self, partitions: Collection[int]) -> dict[int, RestoredPartition]:
        """The state of *partitions*, open.

        Raises:
            RefusedError: A value cannot be opened with the keys that are here.
            ChangelogFormatError: It was written by another version.
        """
        restored = await self._restorer.restore(partitions)
        for partition, state in restored.items():
            await self._open(partition, state.merges)
            await self._open(partition, state.episodes)
            for value in state.episodes.values():
                # Now, not when the episode is touched: a worker that is too old would begin, and end at any time.
                check_format(value)
        return restored

    async def _open(self, partition: int, values: dict[bytes, bytes]) -> None:
        for number, (key, value) in enumerate(values.items()):
            try:
                values[key] = self._sealing.opened_state(partition, key, value)
            except EncryptionError as error:
                raise RefusedError(str(error)) from error
            if number % _VALUES_A_TURN == 0:
                await asyncio.sleep(0)
