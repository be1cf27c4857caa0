"""The bench's own arithmetic: what it expects to come out, and what it makes of what it measured."""

from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from xml.etree.ElementTree import fromstring

import orjson
import pytest

from bench.chart import chart
from bench.comparison import Extent, extent, fastest_of_families, of_family, round_pairs
from bench.engines.known import ENGINES, SHORT
from bench.engines.toy_coding import Episode, code_if_new, with_event
from bench.json_report import as_json
from bench.latency import failed, summarized
from bench.measurement import Figures, Measurement
from bench.plan import minutes_expected, plan
from bench.processor_time import ProcessorTime
from bench.report import as_markdown, with_figures
from bench.topic_files import topic_bytes
from bench.workload import EVENTS_PER_EPISODE, Order, Workload
from streams.instruments.registry import load_registry
from streams.intake.decoder import Decoder
from streams.policies.policy_loading import load_policy
from streams.processing.topology import Topology
from tests.expectation import Expectation
from tests.tasks_in_memory import Record

SIZES = (1, 3, 4, 10, 57)
WORKLOADS = [Workload(size, order, open_only) for size in SIZES for order in Order for open_only in (False, True)]


def recounted(workload: Workload) -> Expectation:
    """What the recount makes of every event of *workload*."""
    policy = load_policy(None, load_registry())
    expectation = Expectation(Decoder(policy.instruments), policy)
    topics = {kind: topic for topic, kind in Topology().kinds.items()}
    for offset, event in enumerate(workload.events()):
        record = Record(topics[event.kind], 0, offset, 1_800_000_000_000, event.episode_id.encode(), event.value)
        expectation.take([record], event.kind)
    return expectation


@pytest.mark.parametrize("workload", WORKLOADS, ids=lambda w: w.topic_prefix)
def test_the_expected_codes_are_those_of_the_recount(workload: Workload) -> None:
    """The formula, the list of episodes and the recount agree, and no record is refused."""
    recount = recounted(workload)

    assert recount.rejected == {}
    assert recount.codes().keys() == workload.coded_episodes()
    assert len(recount.codes()) == workload.code_count


@pytest.mark.parametrize("workload", WORKLOADS, ids=lambda w: w.topic_prefix)
def test_a_workload_sends_what_it_announces(workload: Workload) -> None:
    """As many events as it says, each once, of as many episodes."""
    events = list(workload.events())

    assert len(events) == len(set(events)) == workload.event_count
    assert len({event.episode_id for event in events}) == workload.episode_count


def test_the_order_moves_events_and_changes_none() -> None:
    """Spread or together, the same events are sent."""
    spread, together = (list(Workload(50, order).events()) for order in Order)

    assert spread != together
    assert sorted(spread) == sorted(together)


def test_spread_events_of_one_episode_lie_far_apart() -> None:
    """Between two events of an episode lie at least as many others as a fifth of all episodes has."""
    episodes = [event.episode_id for event in Workload(50).events()]
    for episode in set(episodes):
        places = [place for place, other in enumerate(episodes) if other == episode]
        assert min(later - sooner for sooner, later in pairwise(places)) >= 50 // EVENTS_PER_EPISODE


def test_a_smaller_workload_is_the_beginning_of_a_larger_one() -> None:
    """A slow engine is given fewer of the same episodes, not others."""
    small, large = (set(Workload(size).events()) for size in (10, 50))

    assert small < large


FEW = [ENGINES[name] for name in ("this-worker", "plain-faust")]


def test_rounds_run_every_engine_in_turns() -> None:
    """Each engine has one run a round, and none is always the first."""
    rounds = [run for run in plan(100_000, 2, FEW, restarts=False) if run.round_number is not None]

    assert [run.engine for run in rounds] == [*FEW, *reversed(FEW)]


def test_a_slow_engine_is_given_a_part() -> None:
    """The workload of plain Faust is capped; this worker's is what was asked for."""
    events = {run.engine.name: run.workload.event_count for run in plan(500_000, 1, FEW, restarts=False)[:2]}

    assert events == {"this-worker": 500_000, "plain-faust": 50_000}


def test_who_goes_on_has_topics_of_its_own() -> None:
    """A run that ends with a restart adds to its input, which no other run may then read."""
    runs = plan(500_000, 2, list(ENGINES.values()), restarts=True)
    restarted = [run for run in runs if run.restarts]

    assert {run.engine for run in restarted} == {engine for engine in ENGINES.values() if engine.has_state}
    for run in restarted:
        assert [run.engine] == [other.engine for other in runs if other.workload == run.workload]


def test_more_runs_take_longer() -> None:
    """The estimate grows with whatever there is to do, and is minutes, not hours, for the short bench."""
    short, full = (plan(500_000, 3, [ENGINES[name] for name in names], restarts=False) for names in (SHORT, ENGINES))

    assert 1 < minutes_expected(short, latency=False) < 15
    assert minutes_expected(short, latency=False) < minutes_expected(full, latency=False)
    assert minutes_expected(full, latency=False) < minutes_expected(full, latency=True)


@pytest.mark.parametrize("workload", [w for w in WORKLOADS if not w.open_only], ids=lambda w: w.topic_prefix)
def test_the_toy_decision_finds_the_same_codes(workload: Workload) -> None:
    """The Python engines without a decision of their own are given one that comes to the expected outcome."""
    episodes: dict[str, Episode] = {}
    coded = []
    for event in workload.events():
        episode = episodes[event.episode_id] = with_event(episodes.get(event.episode_id), orjson.loads(event.value))
        if code_if_new(event.episode_id, episode) is not None:
            coded.append(event.episode_id)

    assert sorted(coded) == sorted(workload.coded_episodes())


def test_follow_ups_are_what_an_open_workload_leaves_out() -> None:
    """With the follow-ups of all its episodes an open workload is a whole one."""
    whole, still_open = Workload(20), Workload(20, open_only=True, reader="somebody")

    assert sorted([*still_open.events(), *still_open.follow_ups(20)]) == sorted(whole.events())
    assert still_open.topic_prefix != Workload(20, open_only=True).topic_prefix


def test_a_topic_is_the_records_of_all_its_partitions(tmp_path: Path) -> None:
    """Indexes are the broker's own, and a topic with a longer name is another."""
    for partition, segment, size in (
        ("a-0", "0.log", 10),
        ("a-0", "7.log", 5),
        ("a-1", "0.log", 3),
        ("a-0", "0.index", 99),
        ("a-b-0", "0.log", 99),
    ):
        (tmp_path / partition).mkdir(exist_ok=True)
        (tmp_path / partition / segment).write_bytes(bytes(size))

    assert topic_bytes(tmp_path, "a") == 18


FIGURES = Figures(
    event_count=200_000,
    seconds=4.0,
    processor_time=ProcessorTime(engine=3.0, broker=1.0, others=0.4),
    start_up_seconds=2.5,
    peak_resident_mib=250.0,
)
SLOW = replace(FIGURES, event_count=10_000, processor_time=ProcessorTime(engine=3.0, broker=0.5, others=0.4))


def measured(engine: str, round_number: int | None, figures: Figures | None, *faults: str) -> Measurement:
    family = engine.removesuffix("-2")
    return Measurement(engine, family, Workload(100_000), round_number, figures, faults, bytes_per_event=1_234.5)


def test_figures_are_per_event() -> None:
    """Rates and costs are told for the records between the two marks."""
    assert FIGURES.events_per_second == 50_000
    assert FIGURES.cpu_seconds_per_million == pytest.approx(15)
    assert FIGURES.broker_cpu_seconds_per_million == pytest.approx(5)
    assert FIGURES.cores_taken_by_others == pytest.approx(0.1)


def test_processor_time_never_runs_backwards() -> None:
    """The kernel's books are kept in ticks, and a process that ends may take its share with it."""
    used = ProcessorTime(5.0, 2.0, 1.0).since(ProcessorTime(3.0, 2.0, 1.5))

    assert used == ProcessorTime(2.0, 0.0, 0.0)


@pytest.mark.parametrize(
    ("values", "expected"),
    [([3.0], (3, 3, 3)), ([4.0, 1.0], (1, 2.5, 4)), ([9.0, 1.0, 2.0], (1, 2, 9))],
    ids=["one", "two", "three"],
)
def test_extent(values: list[float], expected: tuple[float, float, float]) -> None:
    """Minimum, median and maximum, in whatever order the values came."""
    assert extent(values) == Extent(*expected)


def test_engines_are_compared_within_a_round() -> None:
    """Only a round in which both came out right makes a ratio; variants make none."""
    runs = [
        measured("ours", 1, FIGURES),
        measured("theirs", 1, SLOW),
        measured("ours", 2, FIGURES, "one code too many"),
        measured("theirs", 2, SLOW),
        measured("theirs", 3, SLOW),
        measured("ours", 3, None, "it ended"),
        measured("ours", None, FIGURES),
        measured("theirs", None, SLOW),
    ]

    (pair,) = round_pairs(runs, of_family("ours"), of_family("theirs"))

    assert pair.round_number == 1
    assert pair.rate_ratio == pytest.approx(20)
    assert pair.cpu_ratio == pytest.approx(20)


def test_the_fastest_of_a_family_stands_for_it() -> None:
    """One thread or two, whatever is better."""
    runs = [measured("ours", 1, FIGURES), measured("theirs", 1, SLOW), measured("theirs-2", 1, FIGURES)]

    (pair,) = round_pairs(runs, of_family("ours"), of_family("theirs"))

    assert pair.rate_ratio == 1


def test_latency_is_told_in_ranks() -> None:
    """Of a thousand codes the 500th, the 990th and the 999th, in whatever order they came."""
    told = summarized(ENGINES["flink-2"], 0.5, 10_000, [float(ms) for ms in range(1_000, 0, -1)])

    assert (told.family, told.code_count, told.p50_ms, told.p99_ms, told.p999_ms) == ("flink", 1_000, 500, 990, 999)


@pytest.mark.parametrize(
    ("ours_ms", "theirs_ms", "told"),
    [
        (60, 61, ["| 60 ms | reached |", "| quix: 61 ms | reached |"]),
        (61, 61, ["| 61 ms | **missed** |", "| quix: 61 ms | **missed** |"]),
    ],
    ids=["sooner", "later"],
)
def test_latency_is_held_against_its_goals(ours_ms: float, theirs_ms: float, told: list[str]) -> None:
    """Against the limit, and against the best exactly-once peer; one without figures is told as such."""
    latencies = [
        summarized(ENGINES["this-worker"], 0.5, 20_000, [ours_ms]),
        summarized(ENGINES["quix"], 0.5, 9_000, [theirs_ms]),
        failed(ENGINES["flink"], 0.5, 9_000, "It ended."),
        summarized(ENGINES["bytewax"], 0.5, 9_000, [1.0]),
    ]

    report = as_markdown([], subject_family="this-worker", machine="", latencies=latencies)

    for words in [*told, "**No latency** (flink, 50%)"]:
        assert words in report


def test_latency_is_measured_of_the_fastest() -> None:
    """Of each family one engine, at its median rate."""
    runs = [measured("ours", 1, SLOW), measured("ours-2", 1, FIGURES), measured("theirs", 1, None, "it ended")]

    assert fastest_of_families(runs) == {"ours-2": 50_000}


def all_open(peak_mib: float, episode_count: int = 100_000) -> Measurement:
    figures = replace(FIGURES, peak_resident_mib=peak_mib)
    workload = Workload(episode_count, open_only=True)
    return Measurement("this-worker", "this-worker", workload, None, figures, restart_seconds=4.25)


@pytest.mark.parametrize(
    ("runs", "told"),
    [
        (
            [measured("this-worker", 1, FIGURES), measured("plain-faust", 1, SLOW)],
            "| 20.0 / 20.0 / 20.0 times | reached |",
        ),
        (
            [measured("this-worker", 1, SLOW), measured("plain-faust", 1, SLOW)],
            "| 1.00 / 1.00 / 1.00 times | **missed** |",
        ),
        (
            [measured("this-worker-2", 1, FIGURES), measured("this-worker", 1, FIGURES)],
            "0.9 times the events/s of one | 1.00",
        ),
        ([measured("this-worker", 1, FIGURES), measured("flink-2", 1, FIGURES)], "| flink | 1 | 1.00 / 1.00 / 1.00 |"),
        ([measured("this-worker", 1, FIGURES)], "| 1,234 |"),
        ([all_open(300)], "| 300 MiB with 100,000 | reached |"),
        ([all_open(301)], "| 301 MiB with 100,000 | **missed** |"),
        ([all_open(300)], "| this-worker | 100,000 | 2.5 | 4.2 |"),
        ([measured("this-worker", 1, None, "it ended")], "it ended"),
    ],
    ids=["fast", "slow", "two", "family", "bytes", "small", "large", "restart", "failed"],
)
def test_the_report_tells_goals_and_faults(runs: list[Measurement], told: str) -> None:
    """A goal is told with what was reached, missed or not; so is a run that does not count."""
    assert told in as_markdown(runs, subject_family="this-worker", machine="A machine.")


def test_the_chart_shows_what_counts() -> None:
    """An engine whose run does not count is not in the picture, which is well-formed and fetches nothing."""
    runs = [measured("ours", 1, FIGURES), measured("theirs", 1, SLOW), measured("wrong", 1, FIGURES, "no codes")]

    picture = fromstring(chart(runs, "ours", "A machine."))  # noqa: S314 - our own
    texts = [found.text for found in picture.iter() if found.text]

    assert {"ours", "theirs", "50,000", "15.0", "A machine."} <= set(texts)
    assert "wrong" not in texts


def test_no_goal_is_judged_on_too_little() -> None:
    """Memory with fewer open episodes than the goal names says nothing about it."""
    assert "open episodes" not in as_markdown(
        [all_open(10, episode_count=20_000)], subject_family="ours", machine="A machine."
    )


def test_a_failed_run_has_no_figures_in_the_table() -> None:
    """A run whose outcome is wrong is counted as begun, and its rate is not shown."""
    told = as_markdown([measured("ours", 1, FIGURES, "one code too many")], subject_family="ours", machine="")

    assert "| 0 of 1 |" in told
    assert "50,000" not in told


@pytest.mark.parametrize(("others_seconds", "told"), [(0.4, False), (4.0, True)], ids=["alone", "shared"])
def test_a_shared_machine_is_told(others_seconds: float, told: bool) -> None:  # noqa: FBT001 - a table's column
    """Where other programs took a good part of the processors, the figures come with a warning."""
    figures = replace(FIGURES, processor_time=ProcessorTime(engine=3.0, broker=1.0, others=others_seconds))

    report = as_markdown([measured("ours", 1, figures)], subject_family="ours", machine="")

    assert ("The machine was shared" in report) is told


def test_json_tells_every_run() -> None:
    """Scripts get the runs one by one, also those that do not count."""
    document = as_json([measured("ours", 1, FIGURES), measured("ours", 2, None, "it ended")], "A machine.")

    assert [run.get("events_per_second") for run in document["runs"]] == [50_000, None]
    assert [run["faults"] for run in document["runs"]] == [(), ("it ended",)]


def test_figures_take_the_place_of_the_last_ones() -> None:
    """What stands between the markers is replaced, and nothing else; twice is as good as once."""
    text = "Before\n<!-- figures: begin -->\nold\n<!-- figures: end -->\nAfter\n"

    once = with_figures(text, "new")

    assert once == "Before\n<!-- figures: begin -->\n\nnew\n\n<!-- figures: end -->\nAfter\n"
    assert with_figures(once, "new") == once


def test_figures_need_a_place() -> None:
    """A text without markers is refused rather than overwritten."""
    with pytest.raises(ValueError, match="no place for the figures"):
        with_figures("Before\n<!-- figures: end --> <!-- figures: begin -->", "new")
