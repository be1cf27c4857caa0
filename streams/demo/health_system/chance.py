"""How the dice are loaded."""

from collections.abc import Mapping
from random import Random
from typing import TypeVar

Outcome = TypeVar("Outcome")


def drawn(shares: Mapping[Outcome, int], rng: Random) -> Outcome:
    """Draw one of the outcomes, each as likely as its share."""
    return rng.choices(list(shares), list(shares.values()))[0]
