"""The worker of production, but that its EndTxn is repeated after a time-out, as by aiokafka as it comes."""

from unittest.mock import patch

from aiokafka.producer.sender import EndTxnHandler

from streams.kafka import group_fenced_producer
from streams.logs import configure_logs
from streams.settings import load_settings
from streams.worker.early_stop import stop_at_once_when_told
from streams.worker.run import run_worker
from streams.worker.tuning import Tuning

_PATIENT = Tuning(request_timeout_seconds=3.0, transaction_timeout_seconds=40.0)
"""It repeats what was not answered for 3 s, and goes on."""


def main() -> None:
    """Run it."""
    stop_at_once_when_told()
    configure_logs()
    with patch.object(group_fenced_producer, "_EndTxnHandler", EndTxnHandler):
        run_worker(load_settings(), _PATIENT)


if __name__ == "__main__":
    main()
