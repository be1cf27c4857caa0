"""What is coded, how are the workers, what do they hold? The lower rows of the dashboard."""

from streams.metrics import catalogue as metrics
from tests.deploy.dashboard_queries import SELECTED, by, of_the_group, percentiles, rate
from tests.deploy.grafana_panels import Kind, Panel, Row

CODES = Row(
    "What is coded",
    [
        Panel(
            f"Coding events, by {label}",
            Kind.TIMESERIES,
            by(label, metrics.CODING_EVENTS),
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
            by("outcome", metrics.DECISIONS),
            metrics.DECISIONS.help,
            stacked=True,
        ),
        Panel(
            "Dead letters in an hour, by reason",
            Kind.TIMESERIES,
            [(f"sum by (reason) (increase({metrics.DEAD_LETTERS.name}{SELECTED}[1h]))", "{{reason}}")],
            metrics.DEAD_LETTERS.help,
        ),
        Panel(
            "Records on their way home",
            Kind.TIMESERIES,
            [(rate(metrics.RECORDS_REKEYED, "job"), "{{job}}")],
            metrics.RECORDS_REKEYED.help,
            unit="rps",
        ),
    ],
)

WORKERS = Row(
    "Workers",
    [
        Panel(
            "What each is about",
            Kind.STATE_TIMELINE,
            [(f"{metrics.WORKER_PHASE.name}{SELECTED} == 1", "{{instance}} {{phase}}")],
            metrics.WORKER_PHASE.help,
            width=12,
        ),
        Panel(
            "Tasks",
            Kind.TIMESERIES,
            [(f"{metrics.TASKS.name}{SELECTED}", "{{instance}}")],
            metrics.TASKS.help,
            width=6,
            stacked=True,
        ),
        Panel(
            "State of the group",
            Kind.STATE_TIMELINE,
            [(f"{of_the_group(metrics.GROUP_STATE, 'max', 'state')} == 1", "{{job}} {{state}}")],
            metrics.GROUP_STATE.help,
            width=6,
        ),
        Panel(
            "Rebalances in an hour",
            Kind.TIMESERIES,
            [(f"increase({metrics.REBALANCES.name}{SELECTED}[1h])", "{{instance}}")],
            metrics.REBALANCES.help,
            width=6,
        ),
        Panel(
            "Time without tasks at a rebalance",
            Kind.TIMESERIES,
            percentiles(metrics.REBALANCE_SECONDS),
            metrics.REBALANCE_SECONDS.help,
            unit="s",
            width=6,
        ),
        Panel(
            "Restore: to go",
            Kind.TIMESERIES,
            [(f"{metrics.RESTORE_REMAINING_RECORDS.name}{SELECTED}", "{{instance}}")],
            metrics.RESTORE_REMAINING_RECORDS.help,
            width=6,
        ),
        Panel(
            "Restore: pace",
            Kind.TIMESERIES,
            [(rate(metrics.RESTORED_RECORDS, "instance"), "{{instance}}")],
            metrics.RESTORED_RECORDS.help,
            unit="rps",
            width=6,
        ),
        Panel(
            "Ends in an hour, by reason",
            Kind.TIMESERIES,
            [(f"sum by (reason) (increase({metrics.WORKER_ENDINGS.name}{SELECTED}[1h]))", "{{reason}}")],
            metrics.WORKER_ENDINGS.help,
        ),
        Panel(
            "Patience of the watchdog",
            Kind.TIMESERIES,
            [(f"max by (instance, stall) ({metrics.WATCHDOG_WAIT_RATIO.name}{SELECTED})", "{{instance}} {{stall}}")],
            metrics.WATCHDOG_WAIT_RATIO.help,
            unit="percentunit",
        ),
        Panel(
            "Builds and policies",
            Kind.TABLE,
            [(f"count by (job, version, policy, policy_version) ({metrics.BUILD_INFO.name}{SELECTED})", "")],
            f"Workers, by what runs there. {metrics.BUILD_INFO.help}",
        ),
    ],
)

STATE = Row(
    "State",
    [
        Panel(
            "Episodes, by partition",
            Kind.TIMESERIES,
            [(f"sum by (partition) ({metrics.EPISODES.name}{SELECTED})", "{{partition}}")],
            metrics.EPISODES.help,
            width=5,
            stacked=True,
        ),
        Panel(
            "Their bytes, by worker",
            Kind.TIMESERIES,
            [(f"sum by (instance) ({metrics.EPISODE_BYTES.name}{SELECTED})", "{{instance}}")],
            metrics.EPISODE_BYTES.help,
            unit="bytes",
            width=5,
            stacked=True,
        ),
        Panel(
            "Forgotten in a day",
            Kind.TIMESERIES,
            [(f"sum(increase({metrics.EPISODES_FORGOTTEN.name}{SELECTED}[1d]))", "episodes")],
            metrics.EPISODES_FORGOTTEN.help,
            width=4,
        ),
        Panel(
            "Memory, by worker",
            Kind.TIMESERIES,
            [(f"process_resident_memory_bytes{SELECTED}", "{{instance}}")],
            "What the operating system has given each process.",
            unit="bytes",
            width=5,
        ),
        Panel(
            "Processor, by worker",
            Kind.TIMESERIES,
            [(f"rate(process_cpu_seconds_total{SELECTED}[$__rate_interval])", "{{instance}}")],
            "Cores in use; a worker uses one at most.",
            width=5,
        ),
    ],
)
