"""`g9603 adapter fhir` that takes few messages at a time: there is much between the first transaction and the last.

slow_adapter.py MAPPING
"""

import sys

from streams.cli.application import cli
from streams.kafka import read_process_write

MESSAGES_AT_ONCE = 5


def main() -> None:
    read_process_write._RECORDS_MAX = MESSAGES_AT_ONCE  # noqa: SLF001 - as small as a test needs it
    cli(["adapter", "fhir", "--mapping", sys.argv[1]])


if __name__ == "__main__":
    main()
