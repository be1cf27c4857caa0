"""What is due comes up once, in its hour and not before."""

from hypothesis import given
from hypothesis import strategies as st

from streams.processing.agenda import HOUR_MS, Agenda, begun_hour_ms

times = st.integers(0, 50 * HOUR_MS)


@given(st.lists(st.tuples(st.sampled_from((b"a", b"b", b"c", b"d")), times)), times, st.integers(1, 3))
def test_what_has_passed_is_due_and_nothing_else(noted: list[tuple[bytes, int]], now_ms: int, count_max: int) -> None:
    """Taken in parts or at once: each key whose time is before the hour that has begun, and those stay that are not."""
    agenda, as_of_ms = Agenda(), begun_hour_ms(now_ms)
    for key, due_ms in noted:
        agenda.note(key, due_ms)
    taken = []
    while agenda.is_due(as_of_ms):
        part = list(agenda.take(as_of_ms, count_max))
        assert 1 <= len(part) <= count_max
        taken += part

    by_hour = {(key, due_ms // HOUR_MS) for key, due_ms in noted if due_ms < as_of_ms}
    assert sorted(taken) == sorted(key for key, _ in by_hour)
    later = {key for key, due_ms in noted if due_ms >= as_of_ms}
    assert set(agenda.take(100 * HOUR_MS, 1_000)) == later
