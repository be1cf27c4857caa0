"""``g9603 billing export`` and ``held``: what a billing database holds, for systems and for people."""

import csv
import sys
from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, TextIO

import orjson
import typer
from rich.table import Table

from schemas.vocabulary import Channel
from streams.billing.exports.charge_item import charge_item
from streams.billing.exports.claim_line import claim_line
from streams.billing.exports.dft import dft_messages
from streams.billing.exports.registry import COLUMNS, is_of_measure, registry_row
from streams.cli.billing_database import billing_database
from streams.cli.console import out, print_json, refusals, settings_of_environment

if TYPE_CHECKING:
    from sqlalchemy import Engine


class Format(StrEnum):
    """What a billing system or a registry reads."""

    DFT = "dft"
    CHARGE_ITEM = "charge-item"
    CLAIM_LINE = "claim-line"
    REGISTRY = "registry"


def export(
    into: Annotated[
        Format,
        typer.Argument(
            metavar="FORMAT",
            help="HL7 v2.5.1 DFT^P03, FHIR R4 ChargeItem, service lines of X12 837P, CSV for a registry.",
        ),
    ],
) -> None:
    """Write what the database holds to standard output.

    dft and claim-line: all that ever happened, a message or a line (as NDJSON) for each change. charge-item: what
    each episode has come to, as NDJSON, those taken back included. registry: what stands of MIPS measure 420.
    """
    with refusals(), billing_database(settings_of_environment()) as database:
        _EXPORTS[into](database, sys.stdout)


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


def _write_dft(database: "Engine", file: TextIO) -> None:
    from streams.billing.reading import read_history  # noqa: PLC0415

    for told in read_history(database):
        file.writelines(f"{message}\n" for message in dft_messages(told))


def _write_charge_items(database: "Engine", file: TextIO) -> None:
    from streams.billing.reading import read_last  # noqa: PLC0415

    file.writelines(f"{orjson.dumps(charge_item(event)).decode()}\n" for event in read_last(database, *Channel))


def _write_claim_lines(database: "Engine", file: TextIO) -> None:
    from streams.billing.reading import read_history  # noqa: PLC0415

    lines = (claim_line(told) for told in read_history(database))
    file.writelines(f"{orjson.dumps(line).decode()}\n" for line in lines if line is not None)


def _write_registry_rows(database: "Engine", file: TextIO) -> None:
    from streams.billing.reading import read_standing  # noqa: PLC0415

    rows = csv.writer(file, lineterminator="\n")
    rows.writerow(COLUMNS)
    standing = read_standing(database, Channel.REGISTRY, Channel.BOTH)
    rows.writerows(registry_row(event) for event in standing if is_of_measure(event))


_EXPORTS: Mapping[Format, Callable[["Engine", TextIO], None]] = {
    Format.DFT: _write_dft,
    Format.CHARGE_ITEM: _write_charge_items,
    Format.CLAIM_LINE: _write_claim_lines,
    Format.REGISTRY: _write_registry_rows,
}
