"""The commands, in the order in which a newcomer needs them."""

import typer

from streams.cli.worker import worker

cli = typer.Typer(
    help="Codes HCPCS G9603 (patient survey score improved from baseline following treatment) from surveys and "
    "treatments on Kafka, exactly once.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_show_locals=False,
)
cli.command()(worker)


@cli.callback()
def _commands() -> None:
    pass
