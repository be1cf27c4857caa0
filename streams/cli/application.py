"""The commands, in the order in which a newcomer needs them."""

import typer

from streams.cli.adapter import adapter
from streams.cli.billing import billing
from streams.cli.dead_letter import dead_letter
from streams.cli.demo import demo
from streams.cli.explain import explain
from streams.cli.identity import identity
from streams.cli.lag import lag
from streams.cli.policy import policy
from streams.cli.reconcile import reconcile
from streams.cli.report import report
from streams.cli.schema import schema
from streams.cli.send import send
from streams.cli.topics import topics
from streams.cli.worker import worker
from streams.logs import quiet_libraries

cli = typer.Typer(
    help="Codes HCPCS G9603 (patient survey score improved from baseline following treatment) from surveys and "
    "treatments on Kafka, exactly once.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_show_locals=False,
)


@cli.callback()
def _commands() -> None:
    quiet_libraries()


cli.command()(demo)
cli.command()(worker)
cli.command()(topics)
cli.command()(send)
cli.command()(explain)
cli.command()(lag)
cli.command()(reconcile)
cli.command()(report)
cli.add_typer(dead_letter, name="dead-letter")
cli.add_typer(identity, name="identity")
cli.add_typer(adapter, name="adapter")
cli.add_typer(billing, name="billing")
cli.add_typer(policy, name="policy")
cli.add_typer(schema, name="schema")
