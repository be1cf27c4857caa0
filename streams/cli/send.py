"""``g9603 send``: events from files onto the input topics."""

import asyncio
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

from streams.cli.console import ExitCode, err, fail, out, print_json, refusals, settings_of_environment
from streams.instruments.registry import load_registry
from streams.intake.decoder import Decoder
from streams.kafka.connection import connection_options
from streams.kafka.granted_rights import ensure_rights
from streams.kafka.sending import EventSender, Refusal
from streams.processing.access import Role, rights_of
from streams.processing.topology import InputKind, Topology
from streams.settings import Settings

_REFUSALS_SHOWN_MAX = 20


def send(
    files: Annotated[list[str], typer.Argument(help="NDJSON files of surveys and treatments; - for standard input.")],
    as_json: Annotated[bool, typer.Option("--json", help="For scripts.")] = False,  # noqa: FBT002 - a flag
) -> None:
    """Send surveys and treatments, one JSON object a line.

    A line with `survey_id` is a survey, one with `treatment_id` a treatment, one with `merged_patient_id` a merge of
    patients. What a worker would put into the dead letters is refused here already and not sent; the rest is. Ends
    with 65 where a line was refused.
    """
    settings = settings_of_environment()
    for name in files:
        if name != "-" and not Path(name).is_file():
            fail(f"{name} is no file: name NDJSON files, or - for standard input.", ExitCode.BAD_INPUT)
    with refusals():
        sent, refused = asyncio.run(_send(settings, files))
    if as_json:
        print_json({"sent": dict(sent), "refused": [refusal._asdict() for refusal in refused]})
    else:
        surveys, treatments, merges = (sent[kind.value] for kind in InputKind)
        merged = f", and {merges} merges of patients" if merges else ""
        out.print(f"sent {surveys} surveys and {treatments} treatments{merged}")
        for refusal in refused[:_REFUSALS_SHOWN_MAX]:
            line = f"{refusal.source}:{refusal.line}: {refusal.detail}"
            err.print(line, highlight=False, soft_wrap=True, markup=False)
    if refused:
        fail(
            f"{len(refused)} lines were refused and not sent: mend them and send them again.",
            ExitCode.BAD_INPUT,
        )


async def _send(settings: Settings, files: list[str]) -> tuple[Counter[str], list[Refusal]]:
    topology = Topology(settings.app_id, settings.topic_prefix)
    sent: Counter[str] = Counter()
    refused: list[Refusal] = []
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    with Progress(*columns, console=err, transient=True) as progress:
        connection = connection_options(settings)
        await ensure_rights(connection, rights_of(Role.PRODUCER, topology))
        async with EventSender(connection, topology, Decoder(load_registry())) as sender:
            for name in files:
                task = progress.add_task(name, total=_size_bytes(name))
                for number, line in enumerate(_lines(name), start=1):
                    refusal = await sender.send(line, source=name, line=number) if line.strip() else None
                    if refusal is not None:
                        refused.append(refusal)
                    progress.advance(task, len(line))
            sent = await sender.flush()
    return sent, refused


def _size_bytes(name: str) -> int | None:
    return Path(name).stat().st_size if name != "-" else None


def _lines(name: str) -> Iterator[bytes]:
    if name == "-":
        yield from sys.stdin.buffer
        return
    with Path(name).open("rb") as file:
        yield from file
