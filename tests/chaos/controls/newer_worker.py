"""The worker of production, but that the facts which it writes have a field more, as those of a later version may."""

from collections.abc import Sequence
from typing import Any
from unittest.mock import patch

import msgspec

from streams.domain.fact import Survey, Treatment
from streams.logs import configure_logs
from streams.processing import stored_episode
from streams.settings import load_settings
from streams.worker.early_stop import stop_at_once_when_told
from streams.worker.run import run_worker

_encode = msgspec.msgpack.Encoder().encode


def _grown(value: Any) -> bytes:  # noqa: ANN401 - whatever the worker encodes
    """*value*, each fact in it an array with an element more at its end."""
    if isinstance(value, Survey | Treatment):
        return _encode(_with_more(value))
    if isinstance(value, Sequence) and value and isinstance(value[0], Survey | Treatment):
        return _encode([_with_more(fact) for fact in value])
    return _encode(value)


def _with_more(fact: Survey | Treatment) -> list[Any]:
    return [*msgspec.msgpack.decode(_encode(fact)), {"a field": "of a later version"}]


def main() -> None:
    """Run it."""
    stop_at_once_when_told()
    configure_logs()
    with patch.object(stored_episode, "_encode", _grown):
        run_worker(load_settings())


if __name__ == "__main__":
    main()
