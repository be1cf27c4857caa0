"""What the figures were measured on, in words: figures without it say nothing."""

import os
import platform
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

_KIB_PER_GIB = 1024 * 1024


def machine_words(kafka_version: str) -> str:
    """One sentence: when, on what, and with which versions."""
    memory_gib = int(_value("/proc/meminfo", "MemTotal").split()[0]) / _KIB_PER_GIB
    packages = ", ".join(f"{name} {version(name)}" for name in ("faust-streaming", "aiokafka", "pydantic"))
    return (
        f"{datetime.now(UTC).date()}, {os.cpu_count()} cores ({_value('/proc/cpuinfo', 'model name')}), "
        f"{memory_gib:.0f} GiB, {platform.system()} {platform.release()}, Python {platform.python_version()}, "
        f"Kafka {kafka_version} on the same machine, {packages}."
    )


def _value(path: str, name: str) -> str:
    for line in Path(path).read_text(encoding="utf-8").splitlines():
        key, _, value = line.partition(":")
        if key.strip() == name:
            return value.strip()
    return "unknown"
