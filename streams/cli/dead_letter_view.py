"""Dead letters as a person and as a script read them; what was received only where it is handed in."""

import base64
from collections.abc import Sequence
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from streams.cli.plain_text import plain
from streams.dead_letters.letters import Letter
from streams.dead_letters.replaying import REPLAYED_FROM
from streams.dead_letters.tally import Tally
from streams.domain.instant import rfc3339_of_ms
from streams.processing.dead_letter_source import received_headers
from streams.processing.sealed_dead_letter import SEALED, OpenedDeadLetter


def listing_json(tally: Tally, named: Sequence[Letter]) -> dict[str, Any]:
    """The counts, and some letters."""
    return {
        "still_dead": tally.dead.total(),
        "still_dead_by_reason": dict(sorted(tally.dead.items())),
        "replayed": tally.replayed.total(),
        "replayed_by_reason": dict(sorted(tally.replayed.items())),
        "letters": [letter_json(letter) for letter in named],
    }


def listing_view(tally: Tally, named: Sequence[Letter]) -> RenderableType:
    """The same for a person."""
    counts = _table("reason", "still dead", "sent again", right=("still dead", "sent again"))
    for reason in sorted(tally.dead.keys() | tally.replayed.keys()):
        counts.add_row(plain(reason), f"{tally.dead[reason]:,}", f"{tally.replayed[reason]:,}")
    counts.add_row("[bold]all[/]", f"[bold]{tally.dead.total():,}[/]", f"[bold]{tally.replayed.total():,}[/]")
    if not named:
        return counts
    letters = _table("id", "since", "read at", "what is wrong")
    for letter in named:
        again = Text(" sent again", style="green") if letter.was_replayed else Text()
        what = Text.assemble((plain(letter.source.reason), "bold"), again, "\n", (plain(letter.source.detail), "dim"))
        letters.add_row(str(letter.id), rfc3339_of_ms(max(letter.timestamp_ms, 0)), plain(str(letter.source)), what)
    return Group(counts, "", letters)


def letter_json(letter: Letter) -> dict[str, Any]:
    """What a letter tells without what was received."""
    source, record = letter.source, letter.record
    return {
        "id": str(letter.id),
        "dead_since": rfc3339_of_ms(max(letter.timestamp_ms, 0)),
        "reason": source.reason,
        "detail": source.detail,
        "read_at": {"topic": source.topic, "partition": source.partition, "offset": source.offset},
        "bytes": len(record.value or b""),
        "sealed": any(name == SEALED for name, _ in record.headers[-1:]),
        "replayed": letter.was_replayed,
        "replay_of": replay_of(letter),
    }


def replay_of(letter: Letter) -> str | None:
    """The dead letter that this one was, before it was sent again and rejected anew; unknown where it is sealed."""
    marks = [value for name, value in letter.record.headers if name == REPLAYED_FROM]
    return marks[-1].decode(errors="replace") if marks else None


def received_json(received: OpenedDeadLetter) -> dict[str, Any]:
    """What was received: text where it is UTF-8, else base64."""
    return {
        "key": _told(received.key),
        "value": _told(received.value),
        "headers": [{"name": name, **_told(value)} for name, value in received_headers(received.headers)],
    }


def letter_view(letter: Letter, received: OpenedDeadLetter | None) -> RenderableType:
    """One letter for a person."""
    table = _table("", "")
    told = letter_json(letter)
    again = f"sent again; before that it was {told['replay_of']}" if told["replay_of"] else None
    rows = [
        ("dead letter", f"{told['id']}, since {told['dead_since']}"),
        ("reason", f"{told['reason']}: {told['detail']}"),
        ("read at", str(letter.source)),
        ("size", f"{told['bytes']:,} bytes{', sealed' if told['sealed'] else ''}"),
        ("state", "sent again" if letter.was_replayed else "still dead"),
        *([("history", again)] if again else []),
    ]
    if received is not None:
        rows.append(("key", _shown(received.key)))
        rows += [(f"header {name}", _shown(value)) for name, value in received_headers(received.headers)]
        rows.append(("value", _shown(received.value)))
    else:
        rows.append(("value", "patient data: --show-value shows it"))
    for name, value in rows:
        table.add_row(Text(plain(name), style="dim"), Text(plain(value)))
    return table


def _told(data: bytes | None) -> dict[str, str | None]:
    if data is None:
        return {"text": None}
    try:
        return {"text": data.decode()}
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(data).decode()}


def _shown(data: bytes | None) -> str:
    return "none" if data is None else data.decode(errors="replace")


def _table(*columns: str, right: Sequence[str] = ()) -> Table:
    table = Table(box=None, header_style="dim", pad_edge=False, show_header=any(columns))
    for column in columns:
        table.add_column(column, overflow="fold", justify="right" if column in right else "left")
    return table
