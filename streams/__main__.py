"""The console command ``g9603``; also ``python -m streams``."""

import sys

from streams.worker.early_stop import stop_at_once_when_told


def main() -> None:
    """Run the command line."""
    if sys.argv[1:2] == ["worker"]:
        stop_at_once_when_told()
    from streams.cli.application import cli  # noqa: PLC0415 - takes a second, in which a worker may be told to stop

    cli(prog_name="g9603")


if __name__ == "__main__":
    main()
