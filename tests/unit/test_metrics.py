"""The catalogue is what is told: every metric, under its name, with its labels; and none is named against the rules."""

import re
from decimal import Decimal
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from streams.metrics.catalogue import CATALOGUE, CODING_LATENCY_SECONDS
from streams.metrics.document import metrics_table
from streams.metrics.exposition import Figures
from streams.metrics.metric import Metric, MetricKind
from streams.processing.records import OutputRecord
from streams.processing.task_output import CodingTold, DeadLetterTold, TaskOutput
from streams.worker.observer import TransactionPart
from streams.worker.step import Generation, Step
from streams.worker.worker_metrics import WorkerMetrics
from tests.monitoring.group import NOW_MS, partition, reading

_UNITS = ("seconds", "bytes", "records", "ratio", "info")
_UNITLESS = {"g9603_group_members", "g9603_group_state", "g9603_worker_phase", "g9603_tasks", "g9603_episodes"}


@pytest.mark.parametrize("metric", CATALOGUE, ids=lambda metric: metric.name)
def test_names(metric: Metric) -> None:
    """The prefix, the unit last, ``_total`` on counters and on nothing else, a sentence of help, no id for a label."""
    assert re.fullmatch(r"g9603(_[a-z]+)+", metric.name)
    assert metric.name.endswith("_total") == (metric.kind is MetricKind.COUNTER)
    if metric.kind is not MetricKind.COUNTER and metric.name not in _UNITLESS:
        assert metric.name.endswith(_UNITS)
    assert metric.help.endswith((".", "with what runs here and by which rules."))
    assert bool(metric.buckets) == (metric.kind is MetricKind.HISTOGRAM)
    assert not [label for label in metric.labels if "id" in label.split("_")]


def test_each_name_once() -> None:
    """Nobody means two things by one word."""
    assert len({metric.name for metric in CATALOGUE}) == len(CATALOGUE)


def exposed(figures: Figures) -> dict[str, float]:
    """Every sample by its name and labels, as Prometheus' own parser reads it."""
    text = figures.exposition("").text.decode()
    return {
        f"{sample.name}{sorted(sample.labels.values())}": sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_what_a_committed_step_adds() -> None:
    """Each figure once, with latency from the record's own time."""
    output = TaskOutput(
        records=[],
        rekeyed=2,
        codings=[CodingTold("new", "G9603", "odi", "aetna", "", NOW_MS - 300)],
        dead_letters=[DeadLetterTold("survey-completed", 0, 7, "not_json", "It is no JSON.", NOW_MS)],
    )
    output.consumed["survey-completed"] = 5
    output.consumed_bytes["survey-completed"] = 500
    output.decisions["G9603"] = 1
    record = OutputRecord("coding-events", 0, b"key", b"four")
    metrics = WorkerMetrics(lambda: NOW_MS)

    metrics.step_computed(0.02)
    metrics.step_committed(Step(Generation(1, "member"), [record], {}, [output]))
    with metrics.timing(TransactionPart.SEND):
        pass
    metrics.tasks_assigned(2.0)

    told = exposed(metrics.figures)
    for name, value in {
        "g9603_records_consumed_total['survey-completed']": 5,
        "g9603_consumed_bytes_total['survey-completed']": 500,
        "g9603_records_produced_total['coding-events']": 1,
        "g9603_produced_bytes_total['coding-events']": 4,
        "g9603_records_rekeyed_total[]": 2,
        "g9603_dead_letters_total['not_json']": 1,
        "g9603_decisions_total['G9603']": 1,
        "g9603_coding_events_total['', 'G9603', 'aetna', 'new', 'odi']": 1,
        "g9603_coding_latency_seconds_bucket['0.25']": 0,
        "g9603_coding_latency_seconds_bucket['0.5']": 1,
        "g9603_step_records_sum[]": 5,
        "g9603_step_compute_seconds_count[]": 1,
        "g9603_transactions_committed_total[]": 1,
        "g9603_transaction_seconds_count['send']": 1,
        "g9603_rebalances_total[]": 1,
        "g9603_rebalance_seconds_sum[]": 2,
    }.items():
        assert told[name] == value, name
    assert [letter.offset for letter in metrics.newest_dead_letters] == [7]


def test_a_transaction_that_fails_is_not_timed() -> None:
    """Counters and times are of what happened."""
    metrics = WorkerMetrics(lambda: NOW_MS)
    with pytest.raises(TimeoutError), metrics.timing(TransactionPart.END):
        raise TimeoutError

    assert not [name for name in exposed(metrics.figures) if name.startswith("g9603_transaction_seconds_count")]


def test_what_is_told_of_the_group() -> None:
    """Lag in records and in time; infinite where it will not be caught up with."""
    metrics = WorkerMetrics(lambda: NOW_MS)
    metrics.put_group(reading(partition(0, waiting=3, age_seconds=90), partition(1)), None, NOW_MS)

    told = exposed(metrics.figures)
    assert told["g9603_lag_records['0', 'survey-completed']"] == 3
    assert told["g9603_lag_seconds['0', 'survey-completed']"] == 90
    assert told["g9603_lag_seconds['1', 'survey-completed']"] == 0
    assert told["g9603_catch_up_seconds[]"] == float("inf")
    assert told["g9603_group_state['Stable']"] == 1
    assert told["g9603_group_state['Empty']"] == 0


def test_what_is_counted_by_reason_begins_at_zero() -> None:
    """Prometheus sees no rise in a series that begins with its first event, and so no alert would come of it."""
    metrics = WorkerMetrics(lambda: NOW_MS)
    metrics.put_build("0.1.0", "default", "1", {"doubt": 2})

    told = exposed(metrics.figures)
    assert told["g9603_worker_endings_total['doubt']"] == 2
    assert told["g9603_worker_endings_total['denied']"] == 0
    assert told["g9603_dead_letters_total['not_json']"] == 0


def test_buckets_are_told_one_by_one() -> None:
    """As a report carries them."""
    figures = Figures()
    for seconds in (0.0, 0.02, 0.02, 1e9):
        figures.observe(CODING_LATENCY_SECONDS, seconds)

    counts = figures.bucket_counts(CODING_LATENCY_SECONDS)
    assert counts[:3] == (1, 2, 0)
    assert (counts[-1], len(counts)) == (1, len(CODING_LATENCY_SECONDS.buckets) + 1)


def test_a_series_that_is_gone_is_not_told() -> None:
    """A partition that was given up must not go on having episodes here."""
    figures = Figures()
    episodes = next(metric for metric in CATALOGUE if metric.name == "g9603_episodes")
    figures.put_all(episodes, {("0",): 1, ("1",): 2})
    figures.put_all(episodes, {("1",): 3})

    assert {name: Decimal(value) for name, value in exposed(figures).items() if name.startswith("g9603_episodes[")} == {
        "g9603_episodes['1']": 3
    }


def test_the_document_is_the_catalogue() -> None:
    """Whoever adds a metric writes its row: ``python -c "from streams.metrics.document import …"`` prints it."""
    document = Path("streams/metrics/README.md").read_text()

    assert document.split("<!-- metrics: begin -->\n\n")[1].split("\n<!-- metrics: end -->")[0] == metrics_table()
