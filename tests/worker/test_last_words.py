"""How workers in one place have ended, as the next one there counts them."""

from pathlib import Path

import pytest

from streams.kafka.broker_access import AccessDeniedError
from streams.kafka.group_fenced_producer import FencedByGroupError
from streams.worker.last_words import Ending, LastWords, ending_of
from streams.worker.refusal import RefusedError
from streams.worker.stall import Stall, Verdict
from streams.worker.transactional_writer import PlaceTakenError
from streams.worker.watchdog import StalledError


@pytest.mark.parametrize(
    ("error", "ending"),
    [
        (AccessDeniedError("no"), Ending.DENIED),
        (RefusedError("no"), Ending.REFUSED),
        (StalledError(Verdict(Stall.STEP, 60)), Ending.STALLED),
        (FencedByGroupError(), Ending.FENCED),
        (PlaceTakenError("coder-0"), Ending.FENCED),
        (TimeoutError(), Ending.DOUBT),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else value,
)
def test_what_an_error_is_called(error: Exception, ending: Ending) -> None:
    assert ending_of(error) is ending


def test_one_after_the_other(tmp_path: Path) -> None:
    """The first has no former; one that leaves no word was killed."""
    path = tmp_path / "worker-0.ending.json"
    told = []
    for ending in (Ending.STOPPED, None, Ending.FENCED, None, Ending.STOPPED):
        words = LastWords(path)
        told.append(words.begin())
        if ending is not None:
            words.leave(ending)

    assert told == [
        {},
        {"stopped": 1},
        {"stopped": 1, "killed": 1},
        {"stopped": 1, "killed": 1, "fenced": 1},
        {"stopped": 1, "killed": 2, "fenced": 1},
    ]


@pytest.mark.parametrize("content", [b"", b"{", b'{"last": "unheard of"}'])
def test_a_file_that_is_none(tmp_path: Path, content: bytes) -> None:
    """Local state is never trusted: counting begins anew."""
    path = tmp_path / "worker-0.ending.json"
    path.write_bytes(content)

    assert LastWords(path).begin() == {}


def test_a_folder_that_is_gone(tmp_path: Path) -> None:
    """The work goes on without."""
    words = LastWords(tmp_path / "gone" / "worker-0.ending.json")

    assert words.begin() == {}
    words.leave(Ending.STOPPED)
