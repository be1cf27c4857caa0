"""JSON that a producer might send: anything at all, and messages of the contract that something has happened to."""

import json
from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn

from tests.messages import message
from tests.strategies import facts

scalars = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.sampled_from(["5", 1e300, -0.0])
)
json_values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
)


def json_bytes(value: object) -> bytes:
    """As Python writes it: with numbers of any length, NaN, and escapes for whatever is not ASCII."""
    return json.dumps(value).encode()


@st.composite
def mutated_messages(draw: DrawFn) -> bytes:
    """A message of the contract with a field or two changed, taken out or added, and sometimes a byte."""
    told: dict[str, Any] = message(draw(facts()), "episode")
    for name in draw(st.lists(st.sampled_from([*told, "score", "answers", "code", "future"]), max_size=2)):
        told[name] = draw(json_values)
    for name in draw(st.lists(st.sampled_from(list(told)), max_size=1)):
        del told[name]
    value = bytearray(json_bytes(told))
    for at in draw(st.lists(st.integers(0, len(value) - 1), max_size=1)):
        value[at : at + draw(st.integers(0, 2))] = draw(st.binary(max_size=2))
    return bytes(value)
