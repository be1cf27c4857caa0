"""``g9603 schema``: the contract as documents."""

import json
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from schemas.compatibility import Side, breaking_changes
from schemas.json_schema import MESSAGES, json_schema, schema_text
from streams.cli.asyncapi_document import asyncapi_document
from streams.cli.console import ExitCode, fail, out, print_json, settings_of_environment
from streams.instruments.registry import load_registry
from streams.processing.topology import Topology

schema = typer.Typer(
    help="The contract as documents: JSON Schemas, AsyncAPI, and the instruments.", no_args_is_help=True
)

Message = StrEnum("Message", {name.upper().replace("-", "_"): name for name in MESSAGES})  # type: ignore[misc]


@schema.command()
def show(message: Annotated[Message, typer.Argument(help="Which message.")]) -> None:
    """Print the JSON Schema of a message."""
    print_json(json_schema(str(message.value)))


@schema.command()
def write(folder: Annotated[Path, typer.Argument(help="Where to; made where it is missing.")]) -> None:
    """Write the JSON Schemas of all messages as files."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in MESSAGES:
        path = folder / f"{name}.schema.json"
        path.write_text(schema_text(name))
        out.print(str(path), highlight=False, soft_wrap=True)


@schema.command()
def asyncapi() -> None:
    """Print all topics and messages as an AsyncAPI 3 document, with the names of your topics."""
    settings = settings_of_environment()
    print_json(asyncapi_document(Topology(settings.app_id, settings.topic_prefix)))


@schema.command()
def check(
    folder: Annotated[Path, typer.Argument(help="JSON Schemas of an earlier version, as `write` writes them.")],
) -> None:
    """Say what would break for whoever was built for an earlier version; ends with 1 if anything would."""
    broken = []
    # A message that is not there was added since: nobody can have been built for it.
    for name in [name for name in MESSAGES if (folder / f"{name}.schema.json").exists()] or MESSAGES:
        side = Side.OUTPUT if name == "coding-event" else Side.INPUT
        released = _released(folder / f"{name}.schema.json")
        broken += [f"{name}: {sentence}" for sentence in breaking_changes(released, json_schema(name), side)]
    if broken:
        fail("\n".join(broken), ExitCode.FAILED)
    out.print(f"compatible with {folder}", highlight=False, soft_wrap=True)


def _released(path: Path) -> dict[str, Any]:
    try:
        told: dict[str, Any] = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        fail(f"{path} is no JSON Schema: name a folder that `g9603 schema write` wrote.", ExitCode.BAD_INPUT)
    return told


@schema.command()
def instruments(
    as_json: Annotated[bool, typer.Option("--json", help="For scripts.")] = False,  # noqa: FBT002 - a flag
) -> None:
    """List the instruments that a survey may name."""
    registry = load_registry()
    if as_json:
        rows = [
            {
                "id": i.id,
                "name": i.name,
                "direction": i.improvement_notation.value,
                "score_min": str(i.score_min),
                "score_max": str(i.score_max),
                "loinc": i.loinc,
                "items": i.items.item_count if i.items is not None else None,
            }
            for i in registry.values()
        ]
        print_json(rows)
        return
    table = Table("id", "name", "better is", "range", "LOINC", "items", box=None, header_style="bold")
    for i in registry.values():
        items = str(i.items.item_count) if i.items is not None else "send the score"
        better = "higher" if i.improvement_notation.value == "increase" else "lower"
        table.add_row(i.id, i.name, better, f"{i.score_min} to {i.score_max}", i.loinc or "-", items)
    out.print(table)
