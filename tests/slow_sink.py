"""`g9603 billing sink` that reads a few events at a time: there is much between the first transaction and the last."""

from streams.billing import sink
from streams.cli.application import cli

EVENTS_AT_ONCE = 3


def main() -> None:
    sink._RECORDS_MAX = EVENTS_AT_ONCE  # noqa: SLF001 - as small as a test needs it
    cli(["billing", "sink"])


if __name__ == "__main__":
    main()
