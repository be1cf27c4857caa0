"""What the harness is tried on: Faust as it comes, counting the records of each episode.

Each record counts once, and is told once, with the count as its revision. A table that lost a write, a record that was
processed twice, or one that was skipped shows in what is told.
"""

import os

import faust

app = faust.App(
    os.environ["G9603_APP_ID"],
    broker=f"kafka://{os.environ['G9603_BOOTSTRAP_SERVERS']}",
    datadir=os.environ["G9603_DATA_DIR"],
    store="memory://",
    processing_guarantee=os.environ["CHAOS_GUARANTEE"],
    topic_partitions=int(os.environ["CHAOS_PARTITIONS"]),
    topic_disable_leader=True,
    web_enabled=False,
    consumer_auto_offset_reset="earliest",
    # As patient as the worker that it is compared with.
    broker_session_timeout=10.0,
    broker_heartbeat_interval=1.0,
    stream_recovery_delay=0.0,
)
_PREFIX = os.environ["G9603_TOPIC_PREFIX"]
records = app.topic(f"{_PREFIX}survey-completed", value_serializer="json")
told = app.topic(f"{_PREFIX}coding-events", value_serializer="json")
counts = app.Table("counts", default=int)


@app.agent(records)
async def count_records(stream: faust.StreamT[dict[str, str]]) -> None:
    """Count, and tell."""
    async for record in stream:
        episode_id = record["episode_id"]
        counts[episode_id] += 1
        value = {"event_id": record["event_id"], "episode_id": episode_id, "revision": counts[episode_id]}
        await told.send(key=episode_id, value=value)


if __name__ == "__main__":
    app.main()
