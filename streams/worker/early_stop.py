"""What does a worker do that is told to stop before it has begun?

Until Faust takes the signals over, a worker is in no group and has no transaction open: there is nothing to bring to an
end. It stands apart from the rest, which takes a second or more to import: a signal may come in that second.
"""

import json
import os
import signal
from datetime import UTC, datetime
from types import FrameType
from typing import NoReturn

_STANDARD_ERROR = 2


def stop_at_once_when_told() -> None:
    """Let SIGTERM and SIGINT end the process with 0 and a last line, until Faust puts handlers of its own in place."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _stop)


def _stop(number: int, _frame: FrameType | None) -> NoReturn:
    line = {
        "signal": signal.Signals(number).name,
        "exit_code": os.EX_OK,
        "event": "worker_stopped_before_joining",
        "level": "info",
        "timestamp": datetime.now(UTC).isoformat().replace("+00:00", "Z"),
    }
    # Neither print nor structlog: the signal may have come in the midst of a line of theirs.
    os.write(_STANDARD_ERROR, json.dumps(line).encode() + b"\n")
    os._exit(os.EX_OK)
