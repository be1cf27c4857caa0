"""G9603 on plain Faust, written as its documentation teaches: records, two agents, one table.

It does less than the worker: no range is checked, no look-back, no window, no corrections, no re-keying; and
it may repeat or lose a code when it is killed. Where Faust has a choice it is given the fast one.
"""

import os

import faust

_PARTITION_COUNT = 4


class Survey(faust.Record, serializer="json"):
    """What is needed of a survey."""

    event_id: str
    episode_id: str
    score: float
    completed_at: str


class Treatment(faust.Record, serializer="json"):
    """What is needed of a treatment."""

    event_id: str
    episode_id: str
    performed_at: str


app = faust.App(
    os.environ["BENCH_APP_ID"],
    broker=f"kafka://{os.environ['BENCH_BOOTSTRAP_SERVERS']}",
    datadir=os.environ["BENCH_LOCAL_FOLDER"],
    store="memory://",
    processing_guarantee=os.environ["BENCH_GUARANTEE"],
    topic_partitions=_PARTITION_COUNT,
    topic_disable_leader=True,
    web_enabled=False,
    consumer_auto_offset_reset="earliest",
    # Larger than the defaults, each measured to help: fewer waits between fetching, buffering and processing, and
    # fewer requests to the broker.
    broker_max_poll_records=5_000,
    stream_buffer_maxsize=10_000,
    producer_linger=0.005,
    producer_max_batch_size=256 * 1024,
    # The end of the run is seen by its last commit; by default it would be waited for up to 2.8 s.
    broker_commit_interval=0.5,
)
surveys = app.topic(os.environ["BENCH_SURVEYS"], value_type=Survey)
treatments = app.topic(os.environ["BENCH_TREATMENTS"], value_type=Treatment)
codes = app.topic(os.environ["BENCH_CODES"], value_serializer="json")
episodes = app.Table("episodes", default=dict)


@app.agent(surveys)
async def take_surveys(stream: faust.StreamT[Survey]) -> None:
    """A survey before the treatment is the baseline, one after it a follow-up."""
    async for survey in stream:
        episode = dict(episodes[survey.episode_id])
        episode["surveys"] = [*episode.get("surveys", ()), (survey.completed_at, survey.score)]
        await _decide(survey.episode_id, episode)


@app.agent(treatments)
async def take_treatments(stream: faust.StreamT[Treatment]) -> None:
    """The earliest treatment counts."""
    async for treatment in stream:
        episode = dict(episodes[treatment.episode_id])
        # All times of the workload have one offset, so that their texts compare as they do.
        episode["treated_at"] = min(treatment.performed_at, episode.get("treated_at", treatment.performed_at))
        await _decide(treatment.episode_id, episode)


async def _decide(episode_id: str, episode: dict[str, object]) -> None:
    improved = "coded" not in episode and _is_improved(episode)
    if improved:
        episode["coded"] = True
    episodes[episode_id] = episode
    if improved:
        await codes.send(key=episode_id, value={"code": "G9603", "episode_id": episode_id})


def _is_improved(episode: dict[str, object]) -> bool:
    surveys_known, treated_at = episode.get("surveys"), episode.get("treated_at")
    if not isinstance(surveys_known, list) or not isinstance(treated_at, str):
        return False
    before = [survey for survey in surveys_known if survey[0] <= treated_at]
    if not before:
        return False
    baseline = max(before)[1]
    return any(score < baseline for completed_at, score in surveys_known if completed_at > treated_at)


if __name__ == "__main__":
    app.main()
