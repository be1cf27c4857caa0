"""What does Grafana show? ``python -m tests.deploy.dashboard_file`` writes deploy/grafana/dashboards/g9603.json.

The dashboard is made from the catalogue, so that no panel can ask for what no worker tells; descriptions are the
catalogue's own. `test_dashboard` holds the file against this.
"""

import json
from pathlib import Path

from streams.metrics import catalogue as metrics
from streams.metrics.metric import Metric
from tests.deploy.grafana_panels import Kind, Panel, Row, dashboard

DASHBOARD_FILE = Path(__file__).parents[2] / "deploy" / "grafana" / "dashboards" / "g9603.json"
_SELECTED = '{job=~"$job"}'
_VARIABLES: list[dict[str, object]] = [
    {"name": "datasource", "type": "datasource", "query": "prometheus", "label": "Prometheus"},
    {
        "name": "job",
        "type": "query",
        "label": "group",
        "datasource": {"type": "prometheus", "uid": "${datasource}"},
        "query": {"query": f"label_values({metrics.BUILD_INFO.name}, job)", "refId": "jobs"},
        "includeAll": True,
        "allValue": ".*",
        "multi": True,
        "refresh": 2,
        "current": {"text": "All", "value": "$__all"},
    },
]


def _rate(metric: Metric, *labels: str) -> str:
    """What *metric* counts in a second, by *labels*."""
    return f"sum by ({', '.join(labels)}) (rate({metric.name}{_SELECTED}[$__rate_interval]))"


def _quantile(share: float, metric: Metric) -> str:
    (bucket, *_) = metric.series
    return f"histogram_quantile({share}, sum by (le) (rate({bucket}{_SELECTED}[$__rate_interval])))"


def _mean(metric: Metric, *labels: str) -> str:
    _, total, count = metric.series
    by = f"sum by ({', '.join(labels)})"
    return f"{by} (rate({total}{_SELECTED}[$__rate_interval])) / {by} (rate({count}{_SELECTED}[$__rate_interval]))"


def _of_the_group(metric: Metric, aggregation: str = "max", *labels: str) -> str:
    """A figure that every worker tells of the whole group."""
    return f"{aggregation} by ({', '.join(('job', *labels))}) ({metric.name}{_SELECTED})"


def _percentiles(metric: Metric) -> list[tuple[str, str]]:
    return [(_quantile(share, metric), name) for share, name in ((0.5, "p50"), (0.95, "p95"), (0.99, "p99"))]


def _by(label: str, metric: Metric) -> list[tuple[str, str]]:
    return [(_rate(metric, label), f"{{{{{label}}}}}")]


_BEHIND = Row(
    "Are we behind?",
    [
        Panel(
            "Oldest record that waits",
            Kind.STAT,
            [(f"max by (job) (job_topic_partition:{metrics.LAG_SECONDS.name}:max{_SELECTED})", "{{job}}")],
            metrics.LAG_SECONDS.help,
            unit="s",
            width=5,
            height=5,
            thresholds=(30, 60),
        ),
        Panel(
            "Records that wait",
            Kind.STAT,
            [(f"sum by (job) (job_topic_partition:{metrics.LAG_RECORDS.name}:max{_SELECTED})", "{{job}}")],
            metrics.LAG_RECORDS.help,
            width=5,
            height=5,
        ),
        Panel(
            "Caught up in",
            Kind.STAT,
            [(_of_the_group(metrics.CATCH_UP_SECONDS, "min"), "{{job}}")],
            metrics.CATCH_UP_SECONDS.help,
            unit="s",
            width=5,
            height=5,
        ),
        Panel(
            "Workers",
            Kind.STAT,
            [(_of_the_group(metrics.GROUP_MEMBERS), "{{job}}")],
            metrics.GROUP_MEMBERS.help,
            width=4,
            height=5,
        ),
        Panel(
            "Alerts",
            Kind.TABLE,
            [('sum by (alertname, severity) (ALERTS{alertname=~"G9603.*", alertstate="firing"})', "")],
            "What deploy/prometheus warns of now; each has a section in deploy/README.md.",
            width=5,
            height=5,
        ),
        Panel(
            "Lag in time, by partition",
            Kind.TIMESERIES,
            [(f"job_topic_partition:{metrics.LAG_SECONDS.name}:max{_SELECTED}", "{{topic}}-{{partition}}")],
            metrics.LAG_SECONDS.help,
            unit="s",
            width=12,
        ),
        Panel(
            "Lag in records, by topic",
            Kind.TIMESERIES,
            [(f"sum by (topic) (job_topic_partition:{metrics.LAG_RECORDS.name}:max{_SELECTED})", "{{topic}}")],
            metrics.LAG_RECORDS.help,
            width=12,
            stacked=True,
        ),
        Panel(
            "Share of the time behind (the objective: under 0.5 %)",
            Kind.TIMESERIES,
            [(f"job:g9603_behind:avg{window}{_SELECTED}", window) for window in ("5m", "1h", "6h", "3d")],
            "How much of the time the oldest waiting record was older than a minute.",
            unit="percentunit",
        ),
        Panel(
            "From record to committed coding event",
            Kind.TIMESERIES,
            _percentiles(metrics.CODING_LATENCY_SECONDS),
            metrics.CODING_LATENCY_SECONDS.help,
            unit="s",
        ),
        Panel(
            "Age of these figures",
            Kind.TIMESERIES,
            [(f"time() - {metrics.LAG_READ_TIMESTAMP_SECONDS.name}{_SELECTED}", "{{instance}}")],
            metrics.LAG_READ_TIMESTAMP_SECONDS.help,
            unit="s",
        ),
    ],
)

_FLOW = Row(
    "What flows",
    [
        Panel(
            "Read, by topic",
            Kind.TIMESERIES,
            _by("topic", metrics.RECORDS_CONSUMED),
            metrics.RECORDS_CONSUMED.help,
            unit="rps",
        ),
        Panel(
            "Written, by topic",
            Kind.TIMESERIES,
            _by("topic", metrics.RECORDS_PRODUCED),
            metrics.RECORDS_PRODUCED.help,
            unit="rps",
        ),
        Panel(
            "Bytes",
            Kind.TIMESERIES,
            [(_rate(metrics.CONSUMED_BYTES), "read"), (_rate(metrics.PRODUCED_BYTES), "written")],
            f"{metrics.CONSUMED_BYTES.help} {metrics.PRODUCED_BYTES.help}",
            unit="Bps",
        ),
        Panel(
            "Transactions",
            Kind.TIMESERIES,
            [(_rate(metrics.TRANSACTIONS_COMMITTED, "instance"), "{{instance}}")],
            metrics.TRANSACTIONS_COMMITTED.help,
            unit="ops",
            width=6,
        ),
        Panel(
            "One transaction, by its parts",
            Kind.TIMESERIES,
            [(_mean(metrics.TRANSACTION_SECONDS, "part"), "{{part}}")],
            metrics.TRANSACTION_SECONDS.help,
            unit="s",
            width=6,
            stacked=True,
        ),
        Panel(
            "Computing a step",
            Kind.TIMESERIES,
            _percentiles(metrics.STEP_COMPUTE_SECONDS),
            metrics.STEP_COMPUTE_SECONDS.help,
            unit="s",
            width=6,
        ),
        Panel(
            "Records of a step",
            Kind.TIMESERIES,
            _percentiles(metrics.STEP_RECORDS),
            metrics.STEP_RECORDS.help,
            width=6,
        ),
    ],
)

_CODES = Row(
    "What is coded",
    [
        Panel(
            f"Coding events, by {label}",
            Kind.TIMESERIES,
            _by(label, metrics.CODING_EVENTS),
            metrics.CODING_EVENTS.help,
            width=6,
            stacked=True,
        )
        for label in ("action", "payer", "instrument", "program")
    ]
    + [
        Panel(
            "Decisions, by outcome",
            Kind.TIMESERIES,
            _by("outcome", metrics.DECISIONS),
            metrics.DECISIONS.help,
            stacked=True,
        ),
        Panel(
            "Dead letters in an hour, by reason",
            Kind.TIMESERIES,
            [(f"sum by (reason) (increase({metrics.DEAD_LETTERS.name}{_SELECTED}[1h]))", "{{reason}}")],
            metrics.DEAD_LETTERS.help,
        ),
        Panel(
            "Records on their way home",
            Kind.TIMESERIES,
            [(_rate(metrics.RECORDS_REKEYED, "job"), "{{job}}")],
            metrics.RECORDS_REKEYED.help,
            unit="rps",
        ),
    ],
)

_WORKERS = Row(
    "Workers",
    [
        Panel(
            "What each is about",
            Kind.STATE_TIMELINE,
            [(f"{metrics.WORKER_PHASE.name}{_SELECTED} == 1", "{{instance}} {{phase}}")],
            metrics.WORKER_PHASE.help,
            width=12,
        ),
        Panel(
            "Tasks",
            Kind.TIMESERIES,
            [(f"{metrics.TASKS.name}{_SELECTED}", "{{instance}}")],
            metrics.TASKS.help,
            width=6,
            stacked=True,
        ),
        Panel(
            "State of the group",
            Kind.STATE_TIMELINE,
            [(f"{_of_the_group(metrics.GROUP_STATE, 'max', 'state')} == 1", "{{job}} {{state}}")],
            metrics.GROUP_STATE.help,
            width=6,
        ),
        Panel(
            "Rebalances in an hour",
            Kind.TIMESERIES,
            [(f"increase({metrics.REBALANCES.name}{_SELECTED}[1h])", "{{instance}}")],
            metrics.REBALANCES.help,
            width=6,
        ),
        Panel(
            "Time without tasks at a rebalance",
            Kind.TIMESERIES,
            _percentiles(metrics.REBALANCE_SECONDS),
            metrics.REBALANCE_SECONDS.help,
            unit="s",
            width=6,
        ),
        Panel(
            "Restore: to go",
            Kind.TIMESERIES,
            [(f"{metrics.RESTORE_REMAINING_RECORDS.name}{_SELECTED}", "{{instance}}")],
            metrics.RESTORE_REMAINING_RECORDS.help,
            width=6,
        ),
        Panel(
            "Restore: pace",
            Kind.TIMESERIES,
            [(_rate(metrics.RESTORED_RECORDS, "instance"), "{{instance}}")],
            metrics.RESTORED_RECORDS.help,
            unit="rps",
            width=6,
        ),
        Panel(
            "Ends in an hour, by reason",
            Kind.TIMESERIES,
            [(f"sum by (reason) (increase({metrics.WORKER_ENDINGS.name}{_SELECTED}[1h]))", "{{reason}}")],
            metrics.WORKER_ENDINGS.help,
        ),
        Panel(
            "Patience of the watchdog",
            Kind.TIMESERIES,
            [(f"max by (instance, stall) ({metrics.WATCHDOG_WAIT_RATIO.name}{_SELECTED})", "{{instance}} {{stall}}")],
            metrics.WATCHDOG_WAIT_RATIO.help,
            unit="percentunit",
        ),
        Panel(
            "Builds and policies",
            Kind.TABLE,
            [(f"count by (job, version, policy, policy_version) ({metrics.BUILD_INFO.name}{_SELECTED})", "")],
            f"Workers, by what runs there. {metrics.BUILD_INFO.help}",
        ),
    ],
)

_STATE = Row(
    "State",
    [
        Panel(
            "Episodes, by partition",
            Kind.TIMESERIES,
            [(f"sum by (partition) ({metrics.EPISODES.name}{_SELECTED})", "{{partition}}")],
            metrics.EPISODES.help,
            width=12,
            stacked=True,
        ),
        Panel(
            "Their bytes, by worker",
            Kind.TIMESERIES,
            [(f"sum by (instance) ({metrics.EPISODE_BYTES.name}{_SELECTED})", "{{instance}}")],
            metrics.EPISODE_BYTES.help,
            unit="bytes",
            width=12,
            stacked=True,
        ),
    ],
)


def dashboard_document() -> str:
    """The dashboard, in JSON."""
    rows = [_BEHIND, _FLOW, _CODES, _WORKERS, _STATE]
    return json.dumps(dashboard("g9603", "G9603 streaming coder", rows, _VARIABLES), indent=1) + "\n"


if __name__ == "__main__":
    DASHBOARD_FILE.write_text(dashboard_document())
