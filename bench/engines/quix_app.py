"""G9603 on Quix Streams: both topics in one stream, state in RocksDB with its changelog, exactly once."""

import os
from pathlib import Path
from typing import Any

from quixstreams import Application

from bench.engines.toy_coding import code_if_new, with_event

_COMMIT_SECONDS = 1.0


def main() -> None:
    """Run until SIGTERM."""
    told = os.environ
    app = Application(
        broker_address=told["BENCH_BOOTSTRAP_SERVERS"],
        consumer_group=told["BENCH_APP_ID"],
        auto_offset_reset="earliest",
        processing_guarantee="exactly-once",
        # The end of a run is seen by its last commit; by default it would be waited for up to 5 s.
        commit_interval=_COMMIT_SECONDS,
        state_dir=Path(told["BENCH_LOCAL_FOLDER"]),
        loglevel="WARNING",
    )
    surveys, treatments = (
        app.dataframe(app.topic(told[name], key_deserializer="str", value_deserializer="json"))
        for name in ("BENCH_SURVEYS", "BENCH_TREATMENTS")
    )
    codes = app.topic(told["BENCH_CODES"], key_serializer="str", value_serializer="json")
    events = surveys.concat(treatments)
    events.apply(_coded, stateful=True, metadata=True).filter(lambda code: code is not None).to_topic(codes)
    app.run()


def _coded(value: dict[str, Any], key: str, _timestamp: int, _headers: object, state: Any) -> dict[str, object] | None:  # noqa: ANN401 - of a library without stubs here
    try:
        episode = with_event(state.get("episode"), value)
    except (KeyError, TypeError, ValueError):
        return None
    code = code_if_new(key, episode)
    state.set("episode", episode)
    return code


if __name__ == "__main__":
    main()
