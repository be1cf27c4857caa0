"""What a restorer refuses before it asks a broker anything."""

import pytest

from streams.worker.refusal import RefusedError
from streams.worker.restorer import ChangelogRestorer
from streams.worker.tuning import Tuning


async def test_a_partition_without_a_changelog() -> None:
    """An input that was made wider under a running worker is refused at once, in a sentence."""
    nowhere = {"bootstrap_servers": "127.0.0.1:1"}
    restorer = ChangelogRestorer(nowhere, topic="changelog", task_count=4, tuning=Tuning())

    with pytest.raises(RefusedError, match="given partition 4 of an input, and changelog has no more than 4"):
        await restorer.restore([3, 4])
