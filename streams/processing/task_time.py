"""What time it is in one partition, and which of its episodes that brings due.

Theory of operation. No clock is read. Time comes as records of a topic of its own, *ticks*, partition by partition, and
their times are those at which brokers have appended them: the clock of whoever sends them does not matter. It never
goes back, and it goes by the hour. A task reads its ticks in step with its facts, so that time stands still for one
that is behind; and a tick counts as read when all is done that it brings due, so that a worker that is killed meanwhile
does the rest.

Where the policy does not ask for time, a tick is noted and nothing else is done. One that an operator sends may ask for
something else (`DECIDE_ANEW`): what every episode comes to by the policy of now, after a switch.
"""

from collections.abc import Iterator, Mapping, Sequence

from streams.domain.instant import LAST_MS, US_PER_MS, Instant
from streams.domain.policy import Policy
from streams.processing.agenda import Agenda, begun_hour_ms
from streams.processing.records import FetchedRecord
from streams.processing.stored_episode import head_of, may_wait

_MS_PER_DAY = 86_400_000
_EPISODES_A_TURN = 4_096
_AT_ONCE = 0
DECIDE_ANEW = b"decide-anew"
"""The value of a tick that has every episode decided anew."""


class TaskTime:
    """The time of one task.

    Args:
        policy: What it matters to.
        as_of_ms: What time it was last; the begin of an hour.
    """

    def __init__(self, policy: Policy, as_of_ms: int) -> None:
        self.as_of_ms = as_of_ms
        self.told_at_ms = as_of_ms
        """When the latest tick was appended, to the millisecond."""
        self._policy = policy
        self._retention_ms = policy.retention_days * _MS_PER_DAY if policy.retention_days is not None else None
        self._agenda: Agenda | None = None
        """None until the first tick: a task that was restored has nobody's agenda."""
        self._is_asked_anew = False
        self._anew: set[bytes] = set()
        """The episodes that are still to be decided anew."""

    def pass_by(self, ticks: Sequence[FetchedRecord]) -> None:
        """Let the time be that of the latest of *ticks*; it never goes back."""
        latest_ms = max((tick.timestamp for tick in ticks), default=0)
        self.told_at_ms = max(self.told_at_ms, min(latest_ms, LAST_MS))
        self.as_of_ms = begun_hour_ms(self.told_at_ms)
        self._is_asked_anew = self._is_asked_anew or any(tick.value == DECIDE_ANEW for tick in ticks)

    @property
    def is_due(self) -> bool:
        """Whether there are episodes to be looked at."""
        return self._agenda is not None and self._agenda.is_due(self.as_of_ms)

    def due(self, count_max: int) -> Iterator[bytes]:
        """The keys of episodes to be looked at, no more than *count_max*."""
        return self._agenda.take(self.as_of_ms, count_max) if self._agenda is not None else iter(())

    def planning(self, episodes: Mapping[bytes, bytes]) -> Iterator[None]:
        """Make the agenda of *episodes*, in turns, where it is needed and not made."""
        if self._is_asked_anew:
            self._is_asked_anew, self._anew, self._agenda = False, set(episodes), Agenda()
            for number, key in enumerate(episodes, start=1):
                self._agenda.note(key, _AT_ONCE)
                if number % _EPISODES_A_TURN == 0:
                    yield
        if self._agenda is not None or not self._policy.needs_time:
            return
        self._agenda = Agenda()
        for number, (key, value) in enumerate(episodes.items(), start=1):
            if self._policy.closes_windows and may_wait(value):
                self._agenda.note(key, _AT_ONCE)  # when its window closes, only a decision can tell
            else:
                self.note_kept(key, value)
            if number % _EPISODES_A_TURN == 0:
                yield

    def is_to_be_decided(self, key: bytes, value: bytes) -> bool:
        """Whether an episode that is looked at is decided: for its window may have closed, or once, as it was asked."""
        if key in self._anew:
            self._anew.discard(key)
            return True
        return self._policy.closes_windows and may_wait(value)

    def note_kept(self, key: bytes, value: bytes) -> None:
        """An episode is kept: it will be looked at when it may be forgotten."""
        if self._agenda is not None and self._retention_ms is not None:
            self._agenda.note(key, head_of(value).newest_timestamp_ms + self._retention_ms)

    def note_closing(self, key: bytes, closes_at: Instant) -> None:
        """The last window of an episode will close: it will be looked at."""
        if self._agenda is not None:
            self._agenda.note(key, closes_at.epoch_us // US_PER_MS)

    def is_to_be_forgotten(self, value: bytes) -> bool:
        """Whether an episode has been kept for as long as the policy says, since it was last heard of."""
        if self._retention_ms is None:
            return False
        return head_of(value).newest_timestamp_ms + self._retention_ms < self.as_of_ms
