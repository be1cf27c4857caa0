"""Whatever happens to workers, their group, the network and the broker: nothing is lost, and nothing is doubled."""

from tests.simulation.running import search


def test_any_history_of_the_protocol_is_exactly_once() -> None:
    """I1 to I6 hold at every moment, and when all is healed the workers come to the end of their input."""
    search()
