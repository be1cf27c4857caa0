"""The targets of the fuzzer keep their promises: on what is usual, and on what Hypothesis makes of it."""

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fuzz.targets import TARGETS

EXAMPLES = [(name, seed) for name, target in TARGETS.items() for seed in target.seeds]


# Some seeds are drawn anew each time: the tests are not named after them.
@pytest.mark.parametrize(("name", "seed"), EXAMPLES, ids=itertools.count())
def test_what_is_usual(name: str, seed: bytes) -> None:
    """The seeds themselves, and each cut short: a target that raises on them would find nothing else."""
    TARGETS[name].run(seed)
    TARGETS[name].run(seed[: len(seed) // 2])


@st.composite
def near_a_seed(draw: st.DrawFn) -> tuple[str, bytes]:
    """A target, and one of its seeds with some bytes put in place of others."""
    name, seed = draw(st.sampled_from(EXAMPLES))
    data = bytearray(seed)
    for _ in range(draw(st.integers(0, 3))):
        at = draw(st.integers(0, len(data)))
        data[at : at + draw(st.integers(0, 4))] = draw(st.binary(max_size=4))
    return name, bytes(data)


@settings(max_examples=200, deadline=None)
@given(near_a_seed())
def test_what_is_nearly_usual(case: tuple[str, bytes]) -> None:
    name, data = case
    TARGETS[name].run(data)


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(sorted(TARGETS)), st.binary(max_size=64))
def test_anything(name: str, data: bytes) -> None:
    TARGETS[name].run(data)
