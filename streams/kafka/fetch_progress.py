"""What a consumer's partitions are known to hold beyond what it has handed over.

aiokafka notes with each fetch how far a partition can be read; it tells the high watermark, but not the last stable
offset, so its private state is read. That state lives on the consumer's own loop: single numbers are read of it here,
each of which is right or a moment old.
"""

from aiokafka import AIOKafkaConsumer, TopicPartition


class FetchProgress:
    """How far a consumer is behind its partitions."""

    def __init__(self) -> None:
        self._consumer: AIOKafkaConsumer | None = None
        self._handed_over: dict[tuple[str, int], int] = {}

    def watch(self, consumer: AIOKafkaConsumer) -> None:
        """Be about *consumer*, which is started."""
        self._consumer = consumer

    def handed_over(self, source: tuple[str, int], next_offset: int) -> None:
        """Note that the records of *source* before *next_offset* are on their way to whoever asks."""
        self._handed_over[source] = next_offset

    def has_more(self, source: tuple[str, int], next_offset: int) -> bool:
        """Whether *source* has records from *next_offset* on; also where no fetch of it was answered yet."""
        subscription = self._consumer and self._consumer._subscription.subscription  # noqa: SLF001
        assignment = subscription and subscription.assignment
        state = assignment and assignment.state_value(TopicPartition(*source))
        if state is None:
            return False  # it is not ours any more
        position, last_stable_offset = state._position, state.lso  # noqa: SLF001
        if position is None or last_stable_offset is None or position < last_stable_offset:
            return True
        # At the end; markers of transactions may lie between the last record and there.
        return self._handed_over.get(source, 0) > next_offset
