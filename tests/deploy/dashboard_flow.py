"""Are we behind, and what flows? The upper rows of the dashboard."""

from streams.metrics import catalogue as metrics
from tests.deploy.dashboard_queries import SELECTED, by, mean, of_the_group, percentiles, rate
from tests.deploy.grafana_panels import Kind, Panel, Row

BEHIND = Row(
    "Are we behind?",
    [
        Panel(
            "Oldest record that waits",
            Kind.STAT,
            [(f"max by (job) (job_topic_partition:{metrics.LAG_SECONDS.name}:max{SELECTED})", "{{job}}")],
            metrics.LAG_SECONDS.help,
            unit="s",
            width=5,
            height=5,
            thresholds=(30, 60),
        ),
        Panel(
            "Records that wait",
            Kind.STAT,
            [(f"sum by (job) (job_topic_partition:{metrics.LAG_RECORDS.name}:max{SELECTED})", "{{job}}")],
            metrics.LAG_RECORDS.help,
            width=5,
            height=5,
        ),
        Panel(
            "Caught up in",
            Kind.STAT,
            [(of_the_group(metrics.CATCH_UP_SECONDS, "min"), "{{job}}")],
            metrics.CATCH_UP_SECONDS.help,
            unit="s",
            width=5,
            height=5,
        ),
        Panel(
            "Workers",
            Kind.STAT,
            [(of_the_group(metrics.GROUP_MEMBERS), "{{job}}")],
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
            [(f"job_topic_partition:{metrics.LAG_SECONDS.name}:max{SELECTED}", "{{topic}}-{{partition}}")],
            metrics.LAG_SECONDS.help,
            unit="s",
            width=12,
        ),
        Panel(
            "Lag in records, by topic",
            Kind.TIMESERIES,
            [(f"sum by (topic) (job_topic_partition:{metrics.LAG_RECORDS.name}:max{SELECTED})", "{{topic}}")],
            metrics.LAG_RECORDS.help,
            width=12,
            stacked=True,
        ),
        Panel(
            "Share of the time behind (the objective: under 0.5 %)",
            Kind.TIMESERIES,
            [(f"job:g9603_behind:avg{window}{SELECTED}", window) for window in ("5m", "1h", "6h", "3d")],
            "How much of the time the oldest waiting record was older than a minute.",
            unit="percentunit",
        ),
        Panel(
            "From record to committed coding event",
            Kind.TIMESERIES,
            percentiles(metrics.CODING_LATENCY_SECONDS),
            metrics.CODING_LATENCY_SECONDS.help,
            unit="s",
        ),
        Panel(
            "Age of these figures",
            Kind.TIMESERIES,
            [(f"time() - {metrics.LAG_READ_TIMESTAMP_SECONDS.name}{SELECTED}", "{{instance}}")],
            metrics.LAG_READ_TIMESTAMP_SECONDS.help,
            unit="s",
        ),
    ],
)

FLOW = Row(
    "What flows",
    [
        Panel(
            "Read, by topic",
            Kind.TIMESERIES,
            by("topic", metrics.RECORDS_CONSUMED),
            metrics.RECORDS_CONSUMED.help,
            unit="rps",
        ),
        Panel(
            "Written, by topic",
            Kind.TIMESERIES,
            by("topic", metrics.RECORDS_PRODUCED),
            metrics.RECORDS_PRODUCED.help,
            unit="rps",
        ),
        Panel(
            "Bytes",
            Kind.TIMESERIES,
            [(rate(metrics.CONSUMED_BYTES), "read"), (rate(metrics.PRODUCED_BYTES), "written")],
            f"{metrics.CONSUMED_BYTES.help} {metrics.PRODUCED_BYTES.help}",
            unit="Bps",
        ),
        Panel(
            "Transactions",
            Kind.TIMESERIES,
            [(rate(metrics.TRANSACTIONS_COMMITTED, "instance"), "{{instance}}")],
            metrics.TRANSACTIONS_COMMITTED.help,
            unit="ops",
            width=6,
        ),
        Panel(
            "One transaction, by its parts",
            Kind.TIMESERIES,
            [(mean(metrics.TRANSACTION_SECONDS, "part"), "{{part}}")],
            metrics.TRANSACTION_SECONDS.help,
            unit="s",
            width=6,
            stacked=True,
        ),
        Panel(
            "Computing a step",
            Kind.TIMESERIES,
            percentiles(metrics.STEP_COMPUTE_SECONDS),
            metrics.STEP_COMPUTE_SECONDS.help,
            unit="s",
            width=6,
        ),
        Panel(
            "Records of a step",
            Kind.TIMESERIES,
            percentiles(metrics.STEP_RECORDS),
            metrics.STEP_RECORDS.help,
            width=6,
        ),
    ],
)
