"""The catalogue as a table, for the README beside it."""

from streams.metrics.catalogue import CATALOGUE


def metrics_table() -> str:
    """A row for each metric, in Markdown."""
    rows = [
        f"| `{metric.name}` | {metric.kind} | {', '.join(f'`{label}`' for label in metric.labels)} | {metric.help} |"
        for metric in CATALOGUE
    ]
    return "\n".join(["| metric | kind | labels | |", "|---|---|---|---|", *rows, ""])
