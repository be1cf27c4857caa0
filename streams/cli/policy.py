"""``g9603 policy``: what a policy means, or what is wrong with it."""

from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from streams.cli.console import out, print_json, refusals
from streams.cli.policy_diff import diff
from streams.cli.policy_redecide import redecide
from streams.instruments.registry import load_registry
from streams.policies.explanation import explain_policy
from streams.policies.policy_loading import load_policy

policy = typer.Typer(help="Policies: the rules of coding, as files.", no_args_is_help=True)


@policy.callback()
def _commands() -> None:
    pass


policy.command()(diff)
policy.command()(redecide)


@policy.command()
def check(
    file: Annotated[Path | None, typer.Argument(help="A TOML policy; the built-in one where none is named.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="For scripts.")] = False,  # noqa: FBT002 - a flag
) -> None:
    """Say in sentences what a policy means; end with 78 where it is refused, with every fault."""
    with refusals():
        loaded = load_policy(file, load_registry())
    sentences = explain_policy(loaded)
    if as_json:
        print_json({"id": loaded.id, "version": loaded.version, "meaning": sentences})
        return
    for sentence in sentences:
        out.print(escape(sentence), highlight=False)
