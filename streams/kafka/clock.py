"""What time is it, as Kafka's timestamps tell it? Nothing is decided by it."""

import time


def now_ms() -> int:
    """Unix time in milliseconds."""
    return time.time_ns() // 1_000_000
