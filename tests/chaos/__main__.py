"""``python -m tests.chaos``: attacks real workers on a real Kafka, and says what held."""

import argparse
import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from tests.chaos.campaign import run_campaign
from tests.chaos.cluster import KafkaCluster
from tests.chaos.kafka_under_test import KafkaUnderTest, SingleBroker
from tests.chaos.report import show_verdict, silence_clients, verdict_table, write_json, write_markdown
from tests.chaos.scenario import Scenario, all_scenarios
from tests.chaos.verdict import Verdict

DEFAULT_SEED = 9603
_WIDTH = 130
_OUTPUT = Path("build/chaos/verdicts.json")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run what the command line asks for; 0 where everything held."""
    asked = _parser().parse_args(arguments)
    console = Console()
    console.width = max(console.width, _WIDTH)
    scenarios = _chosen(asked)
    if asked.list:
        for scenario in scenarios:
            console.print(f"[bold]{scenario.name}[/]  {scenario.what}", highlight=False)
        return 0
    if not scenarios:
        console.print("No scenario has such a name: --list shows them.")
        return 2
    kafka: KafkaUnderTest = SingleBroker(asked.kafka) if asked.single_broker else KafkaCluster(asked.kafka)
    verdicts: list[Verdict] = []

    def note(verdict: Verdict) -> None:
        show_verdict(console, verdict)
        verdicts.append(verdict)
        # Each time: what was found is kept also where the run does not come to its end.
        write_json(verdicts, asked.output)
        write_markdown(verdicts, asked.output.with_suffix(".md"))

    silence_clients()
    kafka.start()
    try:
        asyncio.run(run_campaign(scenarios, seed=asked.seed, kafka=kafka, parallel=asked.parallel, on_verdict=note))
    finally:
        kafka.stop()
        console.print(verdict_table(verdicts))
    return 0 if all(verdict.holds for verdict in verdicts) else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--list", action="store_true", help="show the scenarios, run none")
    parser.add_argument(
        "--only", action="append", metavar="NAME", help="this scenario, or all that begin so; repeatable"
    )
    parser.add_argument("--subset", action="store_true", help="what `make test` runs too")
    parser.add_argument("--seed", type=int, default=DEFAULT_SEED, help="of everything that is drawn (%(default)s)")
    parser.add_argument("--parallel", type=int, default=4, help="scenarios at a time (%(default)s)")
    parser.add_argument("--single-broker", action="store_true", help="one broker; leaves out what needs three")
    parser.add_argument("--kafka", metavar="VERSION", help="the Kafka to run")
    parser.add_argument("--output", type=Path, default=_OUTPUT, help="the verdicts as JSON (%(default)s)")
    return parser


def _chosen(asked: argparse.Namespace) -> list[Scenario]:
    return [
        scenario
        for scenario in all_scenarios()
        if (not asked.only or any(scenario.name.startswith(name) for name in asked.only))
        and (not asked.subset or scenario.in_subset)
        and not (asked.single_broker and scenario.needs_cluster)
    ]


if __name__ == "__main__":
    sys.exit(main())
