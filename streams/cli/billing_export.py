"""``g9603 billing export`` and ``held``: what a billing database holds, for systems and for people."""

import csv
import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any, TextIO

import orjson
import typer
from rich.table import Table

from schemas.vocabulary import Channel
from streams.billing.exports.charge_item import charge_item
from streams.billing.exports.claim import claim
from streams.billing.exports.claim_line import claim_line
from streams.billing.exports.dft import dft_messages
from streams.billing.exports.registry import COLUMNS, is_of_measure, registry_row
from streams.cli.billing_database import billing_database
from streams.cli.console import err, out, print_json, refusals, settings_of_environment

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

    from streams.billing.chain import Told


class Format(StrEnum):
    """What a billing system or a registry reads."""

    DFT = "dft"
    CLAIM = "claim"
    CHARGE_ITEM = "charge-item"
    CLAIM_LINE = "claim-line"
    REGISTRY = "registry"


def export(
    into: Annotated[
        Format,
        typer.Argument(
            metavar="FORMAT",
            help="HL7 v2.5.1 DFT^P03, FHIR R4 Claim or ChargeItem, service lines of X12 837P, CSV for a registry.",
        ),
    ],
    every: Annotated[bool, typer.Option("--all", help="Also what was exported before.")] = False,  # noqa: FBT002 - a flag
) -> None:
    """Write what is new since the last export of this format to standard output, and mark it as exported.

    dft, claim and claim-line: a message, or a line of NDJSON, for each change. charge-item: what each episode has come
    to, as NDJSON, those taken back included. registry: what stands of MIPS measure 420, always all of it. With --all
    everything, and nothing is marked.
    """
    with refusals(), billing_database(settings_of_environment()) as database:
        if into is Format.REGISTRY:
            _write_registry_rows(database, sys.stdout)
        elif every:
            with database.begin() as connection:
                deque(_WRITERS[into](connection, sys.stdout, None), maxlen=0)
        else:
            _export_new(into, database)


def _export_new(into: Format, database: "Engine") -> None:
    from streams.billing.exporting import export_events  # noqa: PLC0415 - only where SQLAlchemy is installed

    count = export_events(
        database, into, lambda connection: _WRITERS[into](connection, sys.stdout, into), sys.stdout.flush
    )
    err.print(f"exported what became of {count:,} events", highlight=False)


def held(
    as_json: Annotated[bool, typer.Option("--json", help="For scripts.")] = False,  # noqa: FBT002 - a flag
) -> None:
    """List what no payer's rule says where to send: a person must look, and mend the policy or the payer's name."""
    with refusals(), billing_database(settings_of_environment()) as database:
        from streams.billing.reading import read_standing  # noqa: PLC0415 - only where SQLAlchemy is installed

        waiting = list(read_standing(database, Channel.HOLD))
    if as_json:
        print_json([event.model_dump(mode="json") for event in waiting])
        return
    table = Table("episode", "service date", "payer", "code", "not told", box=None, header_style="bold")
    for event in waiting:
        not_told = ", ".join(event.not_available) or "-"
        table.add_row(event.episode_id, str(event.service_date), event.payer_id or "-", event.code, not_told)
    out.print(table)
    out.print(f"{len(waiting):,} on hold", highlight=False)


# ---------------------------------------------------------------------------------------------
# Each writes what is new in a format, or all, and gives the ids of the events that it has dealt with
# ---------------------------------------------------------------------------------------------
def _write_changes(
    text_of: Callable[["Told"], Iterable[str]],
) -> Callable[["Connection", TextIO, Format | None], Iterator[str]]:
    def write(connection: "Connection", file: TextIO, new_in: Format | None) -> Iterator[str]:
        from streams.billing.reading import read_history  # noqa: PLC0415 - only where SQLAlchemy is installed

        for told in read_history(connection, new_in=new_in):
            file.writelines(f"{text}\n" for text in text_of(told))
            yield str(told.event.event_id)

    return write


def _write_charge_items(connection: "Connection", file: TextIO, new_in: Format | None) -> Iterator[str]:
    from streams.billing.reading import read_last  # noqa: PLC0415

    for event in read_last(connection, *Channel, new_in=new_in):
        file.write(f"{orjson.dumps(charge_item(event)).decode()}\n")
        yield str(event.event_id)


def _as_json(value: dict[str, Any] | None) -> list[str]:
    return [orjson.dumps(value).decode()] if value is not None else []


def _write_registry_rows(database: "Engine", file: TextIO) -> None:
    from streams.billing.reading import read_standing  # noqa: PLC0415

    rows = csv.writer(file, lineterminator="\n")
    rows.writerow(COLUMNS)
    standing = read_standing(database, Channel.REGISTRY, Channel.BOTH)
    rows.writerows(registry_row(event) for event in standing if is_of_measure(event))


_WRITERS: Mapping[Format, Callable[["Connection", TextIO, Format | None], Iterator[str]]] = {
    Format.DFT: _write_changes(dft_messages),
    Format.CLAIM: _write_changes(lambda told: _as_json(claim(told))),
    Format.CLAIM_LINE: _write_changes(lambda told: _as_json(claim_line(told))),
    Format.CHARGE_ITEM: _write_charge_items,
}
