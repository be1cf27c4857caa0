"""The commands that need a broker, as a person or a script runs them."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from streams.local_kafka.local_broker import LocalKafka
from streams.processing.topology import Topology

pytestmark = pytest.mark.kafka

SURVEY = {
    "event_id": "e1",
    "source": "portal",
    "survey_id": "s1",
    "episode_id": "ep1",
    "patient_id": "p1",
    "instrument": "odi",
    "score": 48,
    "completed_at": "2026-01-05T09:00:00-05:00",
}
TREATMENT = {
    "event_id": "e2",
    "source": "emr",
    "treatment_id": "t1",
    "episode_id": "ep1",
    "patient_id": "p1",
    "code": "97110",
    "performed_at": "2026-01-06T09:00:00-05:00",
}


def g9603(
    kafka: LocalKafka, prefix: str, *arguments: str, standard_input: str = "", **settings: str
) -> subprocess.CompletedProcess[str]:
    """Run the console command against *kafka* under topic names of its own."""
    environment = {
        **os.environ,
        "G9603_BOOTSTRAP_SERVERS": kafka.bootstrap_servers,
        "G9603_TOPIC_PREFIX": prefix,
        **settings,
    }
    return subprocess.run(
        [sys.executable, "-m", "streams", *arguments],
        env=environment,
        input=standard_input,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        cwd=Path(__file__).parents[2],
    )


def test_topics_are_created_once_and_then_there(kafka: LocalKafka, fresh_prefix: str) -> None:
    """The first call makes what the worker needs, the second finds nothing to do, and both say that all is well."""
    first = g9603(kafka, fresh_prefix, "topics", "--replication", "1", "--partitions", "3", "--json")
    second = g9603(kafka, fresh_prefix, "topics", "--replication", "1", "--json")

    made, found = json.loads(first.stdout), json.loads(second.stdout)
    assert (first.returncode, second.returncode) == (0, 0)
    assert made["created"] == [topic["name"] for topic in found["topics"]]
    assert found["created"] == []
    partitions = {topic["name"]: topic["partitions"] for topic in found["topics"]}
    assert partitions.pop(f"{fresh_prefix}g9603-worker-reports") == 1
    assert set(partitions.values()) == {3}
    assert [t["name"] for t in found["topics"] if t["cleanup_policy"] == "compact"] == [
        f"{fresh_prefix}g9603-episodes-changelog"
    ]


def test_looking_for_topics_does_not_make_them(kafka: LocalKafka, fresh_prefix: str) -> None:
    """A worker that finds no topics names them all and ends with 78, and they are still not there."""
    worker = g9603(kafka, fresh_prefix, "worker")
    again = g9603(kafka, fresh_prefix, "worker")

    assert worker.returncode == again.returncode == 78
    assert worker.stderr.count("create it with `g9603 topics`") == len(Topology().specifications)
    assert again.stderr == worker.stderr


def test_send_refuses_what_no_worker_would_take(kafka: LocalKafka, fresh_prefix: str, tmp_path: Path) -> None:
    """Good lines are sent, bad ones are named by line and reason, and the exit code tells."""
    g9603(kafka, fresh_prefix, "topics", "--replication", "1")
    lines = [
        json.dumps(SURVEY),
        json.dumps(TREATMENT),
        "",
        "{",
        json.dumps({"neither": 1}),
        json.dumps(SURVEY | {"score": 101}),
        json.dumps(SURVEY | {"completed_at": "2026-01-05T09:00:00"}),
    ]
    file = tmp_path / "events.ndjson"
    file.write_text("\n".join(lines))

    sent = g9603(kafka, fresh_prefix, "send", str(file), "--json")
    good = g9603(kafka, fresh_prefix, "send", "-", standard_input="\n".join(lines[:2]))

    told = json.loads(sent.stdout)
    assert sent.returncode == 65
    assert told["sent"] == {"survey-completed": 1, "treatment-recorded": 1}
    assert [(refusal["line"], refusal["reason"]) for refusal in told["refused"]] == [
        (4, "not_an_event"),
        (5, "not_an_event"),
        (6, "score_out_of_range"),
        (7, "invalid_time"),
    ]
    assert (good.returncode, good.stdout) == (0, "sent 1 surveys and 1 treatments\n")


def test_send_names_a_file_that_is_not_there(kafka: LocalKafka, fresh_prefix: str) -> None:
    """Nothing is sent when a file is missing."""
    sent = g9603(kafka, fresh_prefix, "send", "nowhere.ndjson")

    assert sent.returncode == 65
    assert "nowhere.ndjson is no file" in sent.stderr


def test_an_unknown_setting_is_refused(kafka: LocalKafka, fresh_prefix: str) -> None:
    """A misspelt setting is found out at once, not in production."""
    worker = g9603(kafka, fresh_prefix, "worker", G9603_BOOTSTRAP_SERVER="kafka:9092")

    assert worker.returncode == 78
    assert "G9603_BOOTSTRAP_SERVER: no such setting" in worker.stderr


def test_lag_of_a_group_without_workers(kafka: LocalKafka, fresh_prefix: str) -> None:
    """It tells what waits and for how long, and a script learns from the exit code that it is too long."""
    own = {"G9603_APP_ID": f"{fresh_prefix}coder"}
    g9603(kafka, fresh_prefix, "topics", "--replication", "1", **own)
    lines = "\n".join(map(json.dumps, [SURVEY, TREATMENT]))
    g9603(kafka, fresh_prefix, "send", "-", standard_input=lines, **own)

    told = g9603(kafka, fresh_prefix, "lag", "--json", **own)
    view = json.loads(told.stdout)
    assert told.returncode == 0, told.stderr
    assert (view["condition"], view["lag_records"], view["workers"]) == ("broken", 2, [])
    assert view["lag_seconds"] > 0
    assert [alert["name"] for alert in view["alerts"]] == ["G9603NoWorkers"]

    late = g9603(kafka, fresh_prefix, "lag", "--max-seconds", "0", **own)
    assert late.returncode == 1
    assert "BROKEN  No worker runs. 2 records wait, the oldest for" in " ".join(late.stdout.split("\n"))
    assert "survey-completed-" in late.stdout
