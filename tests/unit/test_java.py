"""Java is taken when it is new enough, and else the user reads what to do."""

from pathlib import Path

import pytest

from streams.local_kafka.java import JavaUnavailableError, find_java


def java_that_says(folder: Path, answer: str) -> str:
    """A program in *folder* that answers like `java -version`, on standard error."""
    java = folder / "java"
    java.write_text(f"#!/bin/sh\ncat >&2 <<'END'\n{answer}\nEND\n", encoding="utf-8")
    java.chmod(0o755)
    return str(java)


@pytest.mark.parametrize(
    "answer",
    [
        'openjdk version "17.0.15" 2025-04-15',
        'openjdk version "25" 2025-09-16',
        'openjdk version "26-ea" 2026-03-17',
        'Picked up JAVA_TOOL_OPTIONS: -Xmx1g\njava version "21.0.2" 2024-01-16 LTS',
    ],
)
def test_new_enough(tmp_path: Path, answer: str) -> None:
    """From 17 on, whoever built it and whatever it says besides."""
    java = java_that_says(tmp_path, answer)

    assert find_java(java) == java


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ('openjdk version "11.0.22" 2024-01-16', "is older"),
        ('java version "1.8.0_392"', "is older"),
        ("No Java runtime present, requesting install.", "does not say what it is"),
    ],
)
def test_not_good_enough(tmp_path: Path, answer: str, reason: str) -> None:
    """An old Java, or a program that only poses as one, is refused with the reason and the remedy."""
    java = java_that_says(tmp_path, answer)

    with pytest.raises(JavaUnavailableError, match=f"needs Java 17 or newer, and .*{reason}: install one"):
        find_java(java)
