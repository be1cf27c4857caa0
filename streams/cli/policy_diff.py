"""``g9603 policy diff``: what another policy would have coded, and what a switch to it would publish."""

import asyncio
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from schemas.vocabulary import CodingAction
from streams.cli.changelog_access import changelog_of
from streams.cli.console import out, print_json, refusals, settings_of_environment
from streams.cli.plain_text import plain
from streams.cli.study_progress import study_progress
from streams.cli.times import TIME_FORMS, kafka_timestamp_ms
from streams.instruments.registry import load_registry
from streams.kafka.clock import now_ms
from streams.policies.policy_loading import load_policy
from streams.policy_comparison.comparison import Difference, PolicyComparison
from streams.policy_comparison.history import compare_policies

_ROWS_MAX = 15


def diff(
    before: Annotated[Path, typer.Argument(help="A TOML policy, usually that of now; default is the built-in one.")],
    after: Annotated[Path, typer.Argument(help="The other policy.")],
    as_of: Annotated[
        datetime | None,
        typer.Option(
            formats=TIME_FORMS,
            help="Windows that ended before have closed (date in UTC, or RFC 3339); now if left out.",
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="For scripts.")] = False,  # noqa: FBT002 - a flag
) -> None:
    """Decide all of history by two policies, and say what is different; nothing is published.

    Reads what the workers last committed. Tells which codes are gained, lost and changed, by payer, program,
    instrument and site; and what billing would be told if every episode were decided anew by the second policy,
    after all that it was told so far.
    """
    settings = settings_of_environment()
    one = None if str(before) == "default" else before
    with refusals():
        registry = load_registry()
        names = [(p.id, p.version) for p in (load_policy(one, registry), load_policy(after, registry))]
        ranges = asyncio.run(changelog_of(settings))
        with study_progress("deciding twice") as on_progress:
            as_of_ms = kafka_timestamp_ms(as_of) or now_ms()
            compared = compare_policies(settings, ranges, one, after, as_of_ms=as_of_ms, on_progress=on_progress)
    if as_json:
        print_json(_as_json(compared, names))
    else:
        out.print(_view(compared, names))


def _as_json(compared: PolicyComparison, names: list[tuple[str, str]]) -> dict[str, Any]:
    before, after = ({"id": name, "version": version} for name, version in names)
    return {
        "policies": {"before": before, "after": after},
        "episodes": compared.episode_count,
        "codes": {"before": compared.before_count, "after": compared.after_count},
        "differences": {kind.value: compared.differences[kind] for kind in Difference},
        "changed_fields": dict(compared.changed_fields.most_common()),
        "by": {
            dimension.value: {
                value: {kind.value: counts[kind] for kind in Difference} for value, counts in sorted(values.items())
            }
            for dimension, values in compared.by_dimension.items()
        },
        "switch": {
            **{action.value: compared.actions[action] for action in CodingAction},
            "replace_for_the_name_of_the_policy_alone": compared.renamed_count,
        },
        "episodes_named": {kind.value: sorted(named) for kind, named in compared.named.items()},
    }


def _view(compared: PolicyComparison, names: list[tuple[str, str]]) -> RenderableType:
    before, after = (" ".join(name) for name in names)
    fields = ", ".join(f"{name} ({count:,})" for name, count in compared.changed_fields.most_common())
    counts = _table("", "")
    rows = [
        (compared.episode_count, "episodes"),
        (compared.before_count, f"codes by {before}"),
        (compared.after_count, f"codes by {after}"),
        (compared.differences[Difference.GAINED], "gained"),
        (compared.differences[Difference.LOST], "lost"),
        (compared.differences[Difference.CHANGED], f"changed{': ' if fields else ''}{fields}"),
    ]
    for count, what in rows:
        counts.add_row(f"{count:,}", plain(what))
    return Group(counts, *_dimensions(compared), "", *_switch(compared, after))


def _dimensions(compared: PolicyComparison) -> list[RenderableType]:
    told: list[RenderableType] = []
    for dimension, values in compared.by_dimension.items():
        table = _table(dimension.value, *(kind.value for kind in Difference))
        most = sorted(values.items(), key=lambda item: (-item[1].total(), item[0]))
        for value, counts in most[:_ROWS_MAX]:
            table.add_row(plain(value), *(f"{counts[kind]:,}" for kind in Difference))
        told += ["", table]
        if len(most) > _ROWS_MAX:
            told.append(Text(f"{len(most) - _ROWS_MAX} more: --json names all", style="dim"))
    return told


def _switch(compared: PolicyComparison, after: str) -> list[RenderableType]:
    actions = ", ".join(f"{compared.actions[action]:,} {action.value}" for action in CodingAction)
    renamed = compared.renamed_count
    return [
        Text(f"If every episode were decided anew by {after}, billing would be told: {actions}."),
        Text(f"Of the replacements {renamed:,} would say nothing new but the name of the policy.", style="dim"),
        Text("Without that, a code stays as it is until its episode has a new fact.", style="dim"),
    ]


def _table(first: str, *others: str) -> Table:
    table = Table(box=None, header_style="bold", pad_edge=False, show_header=bool(first))
    table.add_column(first, overflow="fold", justify="left" if first else "right")
    for other in others:
        table.add_column(other, justify="right" if first else "left")
    return table
