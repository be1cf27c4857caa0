"""``g9603 worker``."""

from streams.cli.console import refusals, settings_of_environment
from streams.logs import configure_logs, log_hash_key
from streams.worker.run import run_worker


def worker() -> None:
    """Join the group and code until SIGTERM.

    Ends with 0 after a graceful stop, with 70 where going on was not safe (start it again), with 69 where no
    broker answers, with 77 where the brokers deny access, at the start or later, and with 78 where the topics, the
    policy or a setting are not as they must be.
    """
    settings = settings_of_environment()
    with refusals():
        configure_logs(log_hash_key(settings), settings.log_format)
        run_worker(settings)
