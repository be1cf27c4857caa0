"""A `dead-letter replay` that kills itself: before or after the end of one of its transactions was asked for.

    killed_replay.py before|after TRANSACTION

It has small transactions, so that there are several.
"""

import os
import signal
import sys
from itertools import count
from typing import Any

from aiokafka import AIOKafkaProducer

from streams.cli.application import cli
from streams.dead_letters import replaying

LETTERS_PER_TRANSACTION = 4


def main() -> None:
    when, fatal = sys.argv[1], int(sys.argv[2])
    commit = AIOKafkaProducer.commit_transaction
    numbers = count(1)

    async def committing(producer: Any) -> None:  # noqa: ANN401 - aiokafka has no types
        is_fatal = next(numbers) == fatal
        if is_fatal and when == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        await commit(producer)
        if is_fatal:
            os.kill(os.getpid(), signal.SIGKILL)

    AIOKafkaProducer.commit_transaction = committing
    replaying._LETTERS_PER_TRANSACTION = LETTERS_PER_TRANSACTION  # noqa: SLF001 - as small as a test needs it
    cli(["dead-letter", "replay", "--all"])


if __name__ == "__main__":
    main()
