"""What an instant keeps of the time that was written down."""

from datetime import datetime, timedelta, timezone

from hypothesis import given, settings
from hypothesis import strategies as st

from streams.domain.instant import Instant

law = settings(max_examples=200, deadline=None)
whole_minute_offsets = st.integers(-(24 * 60 - 1), 24 * 60 - 1).map(lambda m: timezone(timedelta(minutes=m)))


@law
@given(
    st.datetimes(timezones=whole_minute_offsets)
    | st.sampled_from(
        [
            datetime.min.replace(tzinfo=timezone(timedelta(hours=14))),
            datetime.max.replace(tzinfo=timezone(timedelta(hours=-12))),
        ]
    )
)
def test_an_instant_keeps_the_wall_clock(at: datetime) -> None:
    """Any time that can be written down comes back to the microsecond, with its offset and local date."""
    instant = Instant.of(at)
    assert instant.local.replace(tzinfo=None) == at.replace(tzinfo=None)
    assert instant.local.utcoffset() == at.utcoffset()
    assert instant.local_date == at.date()
    assert datetime.fromisoformat(str(instant)).replace(tzinfo=None) == at.replace(tzinfo=None)


@law
@given(st.datetimes(timezones=whole_minute_offsets), st.datetimes(timezones=whole_minute_offsets))
def test_instants_lie_in_the_order_of_time(one: datetime, other: datetime) -> None:
    """Microseconds since 1970 compare as the times themselves do, whatever their offsets."""
    assert (Instant.of(one).epoch_us < Instant.of(other).epoch_us) == (one < other)
    assert (Instant.of(one).epoch_us == Instant.of(other).epoch_us) == (one == other)
