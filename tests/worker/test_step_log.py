"""What a committed step says in the log."""

from structlog.testing import capture_logs

from streams.processing.task_output import DeadLetterTold, TaskOutput
from streams.worker.observer import Unobserved
from streams.worker.step import Generation, Step
from streams.worker.step_log import StepLog


def test_a_line_for_each_reason() -> None:
    """However many records: with the place of the first, and nothing of what they held."""
    outputs = [
        TaskOutput(dead_letters=[DeadLetterTold("surveys", 3, offset, "not_json", "CANARY", 0) for offset in (7, 8)]),
        TaskOutput(dead_letters=[DeadLetterTold("surveys", 4, 1, "empty", "CANARY", 0)]),
        TaskOutput(),
    ]
    with capture_logs() as lines:
        StepLog(Unobserved()).step_committed(Step(Generation(1, "member"), [], {}, outputs))

    usual = {"event": "records_rejected", "log_level": "warning", "topic": "surveys"}
    assert lines == [
        {**usual, "reason": "not_json", "count": 2, "partition": 3, "offset": 7},
        {**usual, "reason": "empty", "count": 1, "partition": 4, "offset": 1},
    ]
