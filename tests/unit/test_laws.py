"""What holds for every episode: delivery decides nothing, and billing is told each change once."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from itertools import pairwise

from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from schemas.vocabulary import CodingAction
from streams.domain.coder import CodedEpisode, Step, advance
from streams.domain.coding import coding_of
from streams.domain.decision import Coded, NotCoded, decide
from streams.domain.episode import Arrival
from streams.domain.fact import Fact
from streams.domain.policy import Policy
from streams.processing.stored_episode import decode_episode, encode_episode
from tests.billing_consumer import billed
from tests.oracle import Answer, recount
from tests.policies_for_tests import DEFAULT, POLICIES
from tests.strategies import DAY_ZERO_US, arrivals, batches, deliveries, histories, policies

law = settings(max_examples=100, deadline=None)

Batches = Sequence[Sequence[Arrival]]
Course = Sequence[tuple[Sequence[Arrival], Policy]]
"""Batches of arrivals, each decided under a policy of its own, as after an upgrade."""


def step(before: CodedEpisode, arrived: Sequence[Arrival], policy: Policy = DEFAULT) -> Step:
    return advance(before, arrived, episode_id="episode", policy=policy)


def coded_after(delivered: Batches, policy: Policy = DEFAULT) -> CodedEpisode:
    coded = CodedEpisode()
    for batch in delivered:
        coded = step(coded, batch, policy).after
    return coded


def coded_under(course: Course) -> CodedEpisode:
    coded = CodedEpisode()
    for batch, policy in course:
        coded = step(coded, batch, policy).after
    return coded


def answer_of(decision: Coded | NotCoded) -> Answer | None:
    if isinstance(decision, NotCoded):
        return None
    comparison = decision.comparison
    return Answer(
        decision.code.value,
        decision.baseline.instrument,
        decision.baseline.instrument_version,
        decision.baseline.survey_id,
        decision.anchor.treatment_id,
        comparison.follow_up.survey_id if comparison is not None else None,
        Fraction(comparison.change if comparison is not None else 0),
    )


named_policies = st.sampled_from(list(POLICIES.values()))
days_after = st.sampled_from((-400, 0, 61, 120, 366, 425, 426, 10_000))
"""Of day zero; treatments are up to day 60, and windows of 60 and 365 days."""
any_policy = named_policies | policies()
cuts = arrivals().flatmap(batches) | arrivals().map(lambda arrived: [[arrival] for arrival in arrived])
courses = cuts.flatmap(lambda cut: st.tuples(*(st.tuples(st.just(batch), named_policies) for batch in cut)))


# ---------------------------------------------------------------------------------------------
# The decision
# ---------------------------------------------------------------------------------------------
@law
@given(arrivals(), policies(), days_after)
def test_the_decision_is_the_one_that_the_contract_counts(arrived: list[Arrival], policy: Policy, day: int) -> None:
    """`decide` agrees with a naive recount over the set of facts, for any rules, on any day."""
    episode = CodedEpisode().episode.with_arrivals(arrived)
    as_of_ms = DAY_ZERO_US // 1_000 + day * 86_400_000
    as_of = datetime.fromtimestamp(as_of_ms / 1_000, UTC)
    expected = recount((arrival.fact for arrival in arrived), policy, as_of)
    assert answer_of(decide(episode.facts, policy, as_of_ms)) == expected


@law
@given(arrivals().flatmap(lambda arrived: st.tuples(st.just(arrived), deliveries(arrived))), any_policy)
def test_delivery_decides_nothing(told: tuple[list[Arrival], Batches], policy: Policy) -> None:
    """Any order, repetition and batching of the same facts gives the same episode and the same active coding."""
    arrived, delivered = told
    at_once, piecemeal = coded_after([arrived], policy), coded_after(delivered, policy)
    assert piecemeal.episode == at_once.episode
    assert piecemeal.ledger.active == at_once.ledger.active


@law
@given(histories().flatmap(lambda told: st.tuples(st.just(told), st.permutations(told))), any_policy)
def test_a_decision_is_a_function_of_a_set(told: tuple[Sequence[Fact], Sequence[Fact]], policy: Policy) -> None:
    """Whole decisions are equal, findings and reasons included, in any order and with anything said twice."""
    in_order, shuffled = told
    assert decide([*shuffled, *shuffled[:2]], policy) == decide(in_order, policy)


@law
@given(courses)
def test_the_changelog_keeps_everything(course: Course) -> None:
    """An episode read back from the changelog is equal, and is decided and continued alike."""
    coded = coded_under(course)
    restored = decode_episode(encode_episode(coded))
    assert restored == coded
    assert encode_episode(restored) == encode_episode(coded)
    assert decide(restored.episode.facts, DEFAULT) == decide(coded.episode.facts, DEFAULT)


# ---------------------------------------------------------------------------------------------
# The ledger
# ---------------------------------------------------------------------------------------------
@law
@given(courses)
def test_billing_holds_the_last_decision(course: Course) -> None:
    """After every batch a consumer that applied each event holds the content that the facts decide."""
    coded = CodedEpisode()
    for batch, policy in course:
        after = step(coded, batch, policy)
        standing = billed(list(after.after.ledger.events("episode")))
        if after.decision is not None:
            expected = coding_of(after.decision, policy) if isinstance(after.decision, Coded) else None
            assert after.after.ledger.active == expected
        assert (standing is None) == (after.after.ledger.active is None)
        coded = after.after


@law
@given(courses)
def test_nothing_is_said_twice(course: Course) -> None:
    """The ids of a ledger are unique, and each entry changes what stood before it."""
    entries = coded_under(course).ledger.entries
    assert len({entry.event_id for entry in entries}) == len(entries)
    stood = [None if entry.action is CodingAction.VOID else entry.coding for entry in entries]
    assert all(before != after for before, after in pairwise([None, *stood]))


@law
@given(courses)
def test_a_ledger_only_grows(course: Course) -> None:
    """What billing was told stays in the ledger as it was told, and a batch adds one event at most."""
    coded = CodedEpisode()
    for batch, policy in course:
        told = coded.ledger.entries
        coded = step(coded, batch, policy).after
        assert coded.ledger.entries[: len(told)] == told
        assert len(coded.ledger.entries) <= len(told) + 1


@law
@given(arrivals().flatmap(lambda arrived: st.tuples(deliveries(arrived), deliveries(arrived))))
def test_redelivery_changes_nothing(told: tuple[Batches, Batches]) -> None:
    """Whatever has been seen, seen again in any way, leaves nothing to store and nothing to tell."""
    coded = coded_after(told[0])
    for batch in told[1]:
        again = step(coded, batch)
        assert not again.changed
        assert again.after is coded


@law
@given(arrivals(), st.integers(1, 10**9))
def test_redelivery_at_a_later_time_tells_nothing(arrived: list[Arrival], later_ms: int) -> None:
    """A later record of a known fact moves the clock of the episode, and nothing else."""
    coded = coded_after([arrived])
    newest = coded.episode.newest_timestamp_ms + later_ms
    again = step(coded, [Arrival(arrival.fact, newest) for arrival in arrived])
    assert again.decision is None
    assert again.after.ledger == coded.ledger
    assert again.after.episode.facts == coded.episode.facts
    assert again.after.episode.newest_timestamp_ms == (newest if arrived else 0)


@law
@given(arrivals().flatmap(batches))
def test_a_decision_is_dated_by_its_newest_record(delivered: Batches) -> None:
    """`decided_at` is the newest Kafka timestamp among the records that the decision knew."""
    coded, newest_ms = CodedEpisode(), 0
    for batch in delivered:
        newest_ms = max(newest_ms, *(arrival.timestamp_ms for arrival in batch)) if batch else newest_ms
        told = len(coded.ledger.entries)
        coded = step(coded, batch).after
        for event in coded.ledger.events("episode", after_revision=told):
            decided_at = datetime.fromisoformat(event["decided_at"])
            assert decided_at == datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=newest_ms)


# ---------------------------------------------------------------------------------------------
# That the laws speak of something
# ---------------------------------------------------------------------------------------------
def _kinds(course: Course) -> Iterator[str]:
    coded = coded_under(course)
    told = [(entry.action, entry.coding) for entry in coded.ledger.entries]
    yield from (f"{action} {coding.code}" for action, coding in told)
    yield from (f"{before} then {after}" for (before, _), (after, _) in pairwise(told))
    if coded.episode.contested:
        yield "contested"


def test_the_laws_are_tried_on_every_kind_of_course() -> None:
    """Among the courses that the laws see, there are all codes, all actions, and all ways for one to follow another."""
    seen: set[str] = set()

    @settings(max_examples=150, deadline=None, database=None, derandomize=True, phases=[Phase.generate])
    @given(courses)
    def look(course: Course) -> None:
        seen.update(_kinds(course))

    look()
    assert seen >= {
        "new G9603",
        "new G9605",
        "new then replace",
        "new then void",
        "replace then replace",
        "replace then void",
        "void then new",
        "contested",
    }
