"""Shows verdicts: a table for people, JSON for the record."""

import logging
from collections.abc import Iterator, Sequence
from pathlib import Path

import orjson
import structlog
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from tests.chaos.verdict import Verdict

_FAILS = "FAILS"
_COLUMNS = ("scenario", "seed", "faults", "records", "codes", "lost", "doubled", "recovered in", "restarts", "")


def silence_clients() -> None:
    """Keep the harness's own clients quiet: they meet every fault, too."""
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))


def show_verdict(console: Console, verdict: Verdict) -> None:
    """One line; where something does not hold, also what, the seed, the timeline and the workers' last words."""
    mark = "[green]holds[/]" if verdict.holds else "[bold red]FAILS[/]"
    console.print(f"{mark}  {verdict.scenario}  ({verdict.seconds:.0f} s)", highlight=False)
    if verdict.finding:
        console.print(f"  found, as it should be: {escape(verdict.finding)}", highlight=False)
    if verdict.holds:
        return
    console.print(f"seed {verdict.seed}: python -m tests.chaos --only {verdict.scenario} --seed {verdict.seed}")
    for violation in verdict.violations[:20]:
        console.print(f"  {escape(violation)}", highlight=False)
    for line in verdict.timeline:
        console.print(f"  [dim]{escape(line)}[/]", highlight=False)
    for name, words in verdict.last_words.items():
        console.print(f"  --- {name}\n{escape(words)}", highlight=False, soft_wrap=True)


def verdict_table(verdicts: Sequence[Verdict]) -> Table:
    """A row each."""
    table = Table(title="What the attack found")
    for name in _COLUMNS:
        table.add_column(name, justify="right" if name not in {"scenario", ""} else "left", no_wrap=name == "scenario")
    for cells in _rows(verdicts):
        table.add_row(*cells[:-1], "[bold red]FAILS[/]" if cells[-1] == _FAILS else cells[-1])
    return table


def write_markdown(verdicts: Sequence[Verdict], path: Path) -> None:
    """The same table, to be kept."""
    lines = (_COLUMNS, ("---",) * len(_COLUMNS), *_rows(verdicts))
    path.write_text("".join(f"| {' | '.join(cells)} |\n" for cells in lines), encoding="utf-8")


def _rows(verdicts: Sequence[Verdict]) -> Iterator[tuple[str, ...]]:
    for verdict in sorted(verdicts, key=lambda verdict: verdict.scenario):
        recovery = verdict.recovery_seconds
        numbers = (verdict.seed, verdict.faults, verdict.records, verdict.codes, verdict.lost, verdict.doubled)
        yield (
            verdict.scenario,
            *map(str, numbers),
            "" if recovery is None else f"{recovery:.1f} s",
            str(verdict.restarts),
            _FAILS if not verdict.holds else "found" if verdict.finding else "holds",
        )


def write_json(verdicts: Sequence[Verdict], path: Path) -> None:
    """All of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(orjson.dumps([verdict.as_json() for verdict in verdicts], option=orjson.OPT_INDENT_2))
