"""What should have come out of some of the episodes, by the input alone, and what did."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeAlias

import orjson

from schemas.vocabulary import CodingAction
from streams.domain.coding import coding_of, content
from streams.domain.decision import Coded, decide
from streams.domain.episode import Arrival, Episode, transport_event
from streams.domain.fact import Fact
from streams.domain.filing_limit import last_filing_day
from streams.domain.policy import Policy
from streams.intake.rejection import RejectionReason
from streams.processing.arrivals import FACTS_MAX
from streams.recount.billing_view import BillingView, without_action
from streams.recount.comparison import Recount
from streams.recount.entries import (
    Entry,
    EventEntry,
    FactEntry,
    LetterEntry,
    MergeEntry,
    RejectedEntry,
    TurnedAwayEntry,
)
from streams.recount.partition_times import PartitionTimes
from streams.recount.standing import Standing
from streams.recount.told_merges import ToldMerge, survivors_of

_Content: TypeAlias = dict[str, Any]
_NOTHING: list[Fact] = []
_AT_THE_BEGIN = PartitionTimes()


class BucketRecount:
    """Takes entries in, then compares.

    Args:
        policies: That of now, then earlier ones.
        times: What time it was in each partition.
        is_compacted: Whether the billing topic is.
        merges: All merges of patients.
    """

    def __init__(
        self,
        policies: Sequence[Policy],
        *,
        times: PartitionTimes = _AT_THE_BEGIN,
        is_compacted: bool = False,
        merges: Sequence[ToldMerge] = (),
    ) -> None:
        self._policies = policies
        self._times = times
        self._survivors = survivors_of(merges, only_taken_in=True)
        self._survivors_then = survivors_of(merges, only_taken_in=False)
        """When all merges are taken in."""
        self._merges_wait = any(one.standing is not Standing.TAKEN_IN for one in merges)
        self._merges: Counter[Standing] = Counter()
        self._taken_in: dict[str, list[Fact]] = defaultdict(list)
        self._moving: dict[str, list[Fact]] = defaultdict(list)
        self._waiting: dict[str, list[Fact]] = defaultdict(list)
        self._by_standing = {
            Standing.TAKEN_IN: self._taken_in,
            Standing.MOVING: self._moving,
            Standing.WAITING: self._waiting,
        }
        self._turned_away: dict[str, TurnedAwayEntry] = {}
        """Episodes that turned facts away, each with the last of these."""
        self._rejected: dict[str, RejectedEntry] = {}
        self._letters: list[LetterEntry] = []
        self._view = BillingView(is_compacted=is_compacted)
        self._recount = Recount()

    def take(self, entries: Iterable[Entry]) -> None:
        """Take *entries* in; those of one episode's coding events come in their order."""
        for entry in entries:
            match entry:
                case FactEntry():
                    self._by_standing[entry.standing][entry.episode_id].append(entry.fact)
                case MergeEntry():
                    self._merges[entry.standing] += 1
                case EventEntry():
                    self._view.take(entry.value)
                case RejectedEntry():
                    self._rejected[entry.source] = entry
                case LetterEntry():
                    self._letters.append(entry)
                case TurnedAwayEntry():
                    self._turned_away[entry.episode_id] = entry

    def compared(self) -> Recount:
        """How what came out compares with what should have."""
        recount, view = self._recount, self._view
        taken_in, moving, waiting = map(_record_count, (self._taken_in, self._moving, self._waiting))
        rejected = sum(r.reason != RejectionReason.NOT_TAKEN_BACK for r in self._rejected.values())
        recount.record_count = taken_in + moving + waiting + rejected + self._merges.total()
        recount.waiting_records = moving + waiting + self._merges.total() - self._merges[Standing.TAKEN_IN]
        recount.waiting_records += sum(r.standing is not Standing.TAKEN_IN for r in self._rejected.values())
        recount.actions, recount.held_count = view.actions, len(view.active)
        for fault in view.faults:
            recount.event_faults.add(fault)
        episodes = self._taken_in.keys() | self._moving.keys() | self._waiting.keys()
        recount.episode_count = len(episodes)
        for episode_id in episodes | view.active.keys():
            self._compare_episode(episode_id)
        self._compare_letters()
        for entry in self._turned_away.values():
            self._look_for_room(entry)
        return recount

    # -----------------------------------------------------------------------------------------
    # Codes
    # -----------------------------------------------------------------------------------------
    def _compare_episode(self, episode_id: str) -> None:
        recount = self._recount
        taken_in = self._taken_in.get(episode_id, _NOTHING)
        moving = self._moving.get(episode_id, _NOTHING)
        waiting = self._waiting.get(episode_id, _NOTHING)
        event = self._view.active.get(episode_id)
        held = without_action(event) if event is not None else None
        certain_ms, latest_ms = self._times.of_episode(episode_id)
        policy = self._policies[0]
        expected = _code(episode_id, taken_in, policy, certain_ms, self._survivors)
        recount.code_count += expected is not None
        may_have_closed = latest_ms != certain_ms and policy.closes_windows
        if moving or waiting or may_have_closed or self._merges_wait:
            everything = [*taken_in, *moving, *waiting]
            if _code(episode_id, everything, policy, latest_ms, self._survivors_then) != held:
                recount.waiting.add(episode_id)
        if moving or (self._merges_wait and self._is_alike(expected, held)):
            return  # what is on the move may show in what billing holds, in part
        if may_have_closed and self._is_alike(_code(episode_id, taken_in, policy, latest_ms, self._survivors), held):
            return
        if expected == held:
            if event is not None and not _is_flagged_rightly(event, policy):
                recount.different.add(episode_id)
                recount.different_fields["past_filing_limit"] += 1
        elif any(_code(episode_id, taken_in, p, certain_ms, self._survivors) == held for p in self._policies[1:]):
            recount.by_earlier_policy += 1
        elif held is None:
            recount.missing.add(episode_id)
        elif expected is None:
            recount.extra.add(episode_id)
        else:
            recount.different.add(episode_id)
            recount.different_fields.update(name for name in expected if expected[name] != held.get(name))

    def _is_alike(self, code: _Content | None, held: _Content | None) -> bool:
        """Whether billing may hold *code*: under either id of a patient, while a merge is on its way."""
        if code is None or held is None or not self._merges_wait:
            return code == held
        return code | {"patient_id": None} == held | {"patient_id": None}

    # -----------------------------------------------------------------------------------------
    # Dead letters
    # -----------------------------------------------------------------------------------------
    def _compare_letters(self) -> None:
        """Every rejected record must be a dead letter once, byte for byte and for its reason; and nothing else."""
        seen: set[str] = set()
        for letter in self._letters:
            self._recount.dead_letters[letter.reason or "unknown"] += 1
            fault = "appears twice" if letter.source in seen else self._letter_fault(letter)
            seen.add(letter.source)
            if fault is not None:
                self._recount.dead_letter_faults.add(f"the dead letter of {letter.source} {fault}")
        for source in self._rejected.keys() - seen:
            if self._rejected[source].standing is Standing.TAKEN_IN:
                self._recount.dead_letter_faults.add(f"{source} is no dead letter, and should be")

    def _letter_fault(self, letter: LetterEntry) -> str | None:
        if not letter.reason:
            return "was written by no worker"
        rejected = self._rejected.get(letter.source)
        if rejected is None or rejected.standing is Standing.WAITING:
            return "should not be one"
        if letter.reason != rejected.reason:
            return f"has the reason {letter.reason}, not {rejected.reason}"
        return None if letter.digest == rejected.digest else "is not what was received"

    def _look_for_room(self, entry: TurnedAwayEntry) -> None:
        facts = self._taken_in.get(entry.episode_id, _NOTHING) + self._moving.get(entry.episode_id, _NOTHING)
        may_be_forgotten = bool(facts) and any(policy.retention_days is not None for policy in self._policies)
        may_be_full = len(_told_once(facts)) >= FACTS_MAX
        match entry.reason:
            case RejectionReason.EPISODE_FORGOTTEN if not may_be_forgotten:
                fault = "was turned away for an episode that cannot have been forgotten"
            case RejectionReason.EPISODE_FULL if not may_be_full:
                fault = "was turned away by an episode that is not full"
            case RejectionReason.NOT_TAKEN_BACK if not (may_be_forgotten or may_be_full):
                fault = "was not taken out of an episode that is neither full nor forgotten"
            case _:
                return
        self._recount.dead_letter_faults.add(f"{entry.source} {fault}")


def _record_count(by_episode: Mapping[str, Sequence[Fact]]) -> int:
    """How many records brought these facts; one that moves from one episode to another counts where it is now."""
    return sum(fact.moved_to_episode_id is None for facts in by_episode.values() for fact in facts)


def _code(
    episode_id: str, facts: Sequence[Fact], policy: Policy, as_of_ms: int, survivors: Mapping[str, str]
) -> _Content | None:
    """The content of the code that *facts* earn, as it looks after a trip over the wire."""
    decision = decide(_told_once(facts), policy, as_of_ms)
    if not isinstance(decision, Coded):
        return None
    told = without_action(content(coding_of(decision, policy, survivors), episode_id, CodingAction.NEW))
    published: _Content = orjson.loads(orjson.dumps(told))  # tuples become lists
    return published


def _is_flagged_rightly(event: dict[str, Any], policy: Policy) -> bool:
    limit_days = policy.payer_rule(event["payer_id"]).filing_limit_days
    if limit_days is None:
        return "past_filing_limit" not in event
    decided_on = str(event["decided_at"])[: len("2026-01-31")]
    is_past = decided_on > str(last_filing_day(event["service_date"], limit_days))
    return event.get("past_filing_limit", False) is is_past


def _told_once(facts: Sequence[Fact]) -> Sequence[Fact]:
    """*facts*, one per transport event; in no order, for a decision does not ask for one."""
    if len({transport_event(fact) for fact in facts}) == len(facts):
        return facts
    return Episode().with_arrivals(Arrival(fact, 0) for fact in facts).facts
