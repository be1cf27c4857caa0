"""Policy files made up at random, all of them right, and the TOML that they are written in."""

import json
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy

from streams.instruments.registry import load_registry

Document = dict[str, Any]
KeyPath = tuple[str | int, ...]

INSTRUMENTS = tuple(load_registry())
PATTERNS = ("HCPCS:97110", "HCPCS:36473-36483", "HCPCS:nnnnF", "HCPCS:*", "SNOMED-CT:91251008", "SNOMED-CT:*")

_NAMES = st.text(alphabet="abcXYZ019 -_.", min_size=1, max_size=6).filter(lambda name: name.strip() != "")
_DAYS = st.integers(0, 4_000)
_CHANNELS = st.sampled_from(("claim", "registry", "both", "hold"))
_CHARGES = st.sampled_from(("0.00", "0.01"))


WORDS = st.text(alphabet="abcdefghijklmnopqrstuvwxyz_", min_size=1, max_size=12)
"""Keys, nearly all of them unknown."""


def anything() -> SearchStrategy[object]:
    """Values of every type that TOML has, in tables and lists too."""
    leaves = st.one_of(st.integers(-1, 400), st.booleans(), st.decimals(-1, 101, places=2), WORDS)
    return st.recursive(
        leaves,
        lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(WORDS, inner, max_size=3)),
        max_leaves=5,
    )


def tables_in(value: object, path: KeyPath = ()) -> list[KeyPath]:
    """The paths of all tables in *value*, its own included."""
    match value:
        case dict():
            return [path, *(inner for key, item in value.items() for inner in tables_in(item, (*path, key)))]
        case list():
            return [inner for place, item in enumerate(value) for inner in tables_in(item, (*path, place))]
        case _:
            return []


def toml(value: object) -> str:
    """*value* as TOML writes it in one line."""
    match value:
        case dict():
            return f"{{{', '.join(f'{key} = {toml(item)}' for key, item in value.items())}}}"
        case list():
            return f"[{', '.join(toml(item) for item in value)}]"
        case bool():
            return str(value).lower()
        case Decimal():
            return f"{value:f}"
        case str():
            return json.dumps(value, ensure_ascii=False)
        case _:
            return str(value)


def policy_text(document: Document) -> str:
    """The TOML file that says *document*."""
    return "".join(f"{key} = {toml(value)}\n" for key, value in document.items())


def _partial(**fields: SearchStrategy[Any]) -> SearchStrategy[Document]:
    return st.fixed_dictionaries({}, optional=fields)


def _windows() -> SearchStrategy[Document]:
    """Both ends are stated, so that a program's window is right beside any policy's."""
    return st.tuples(_DAYS, _DAYS).map(lambda days: {"from_days": min(days), "to_days": max(days)})


def _improvements() -> SearchStrategy[Document]:
    values = st.decimals("0.0001", 100, places=4)
    with_value = st.fixed_dictionaries(
        {"threshold": st.sampled_from(("points", "percent")), "value": st.one_of(values, values.map(str))}
    )
    return st.one_of(with_value, _partial(threshold=st.sampled_from(("any", "published"))))


def _patterns(least: int = 0) -> SearchStrategy[list[str]]:
    return st.lists(st.sampled_from(PATTERNS), min_size=least, max_size=3)


def _instruments(least: int = 0, *further: str) -> SearchStrategy[list[str]]:
    return st.lists(st.sampled_from((*further, *INSTRUMENTS)), min_size=least, max_size=5, unique=True)


def _rule_tables() -> dict[str, SearchStrategy[Document]]:
    return {
        "baseline": _partial(look_back_days=_DAYS),
        "follow_up": _windows(),
        "improvement": _improvements(),
        "surveys": _partial(
            respondents=st.lists(st.sampled_from(("patient", "proxy")), min_size=1),
            instruments=_instruments(1, "*"),
        ),
        "treatments": _partial(qualifying=_patterns(1), excluded=_patterns()),
    }


@st.composite
def _payers(draw: DrawFn) -> list[Document]:
    """Payers that share no name, be it id, name or further match."""
    names = draw(st.lists(_NAMES, max_size=9, unique_by=lambda name: name.strip().lower()))
    modifiers = st.lists(st.sampled_from(("GP", "kx", "LT", "95")), max_size=4, unique=True)
    optional = _partial(charge=_CHARGES, modifiers=modifiers, filing_limit_days=st.integers(1, 4_000))
    return [
        {"id": id_, "name": name, "matches": [match], "channel": draw(_CHANNELS), **draw(optional)}
        for id_, name, match in zip(*[iter(names)] * 3, strict=False)
    ]


@st.composite
def _programs(draw: DrawFn) -> list[Document]:
    names = draw(st.lists(_NAMES, max_size=3, unique_by=str.strip))
    scopes = st.one_of(
        st.fixed_dictionaries({"instruments": _instruments(1)}, optional={"treatments": _patterns()}),
        st.fixed_dictionaries({"treatments": _patterns(1)}, optional={"instruments": _instruments()}),
    )
    return [{"id": name, "applies_to": draw(scopes), **draw(_partial(**_rule_tables()))} for name in names]


def policy_documents() -> SearchStrategy[Document]:
    """Policy files that are right."""
    return st.fixed_dictionaries(
        {"id": _NAMES, "version": _NAMES},
        optional={
            "description": st.text(st.characters(codec="utf-8", exclude_characters="\x7f"), max_size=20),
            "published_codes": st.lists(st.sampled_from(("G9603", "G9605")), min_size=1),
            "payers": _payers(),
            "other_payer": _partial(channel=_CHANNELS, charge=_CHARGES),
            "programs": _programs(),
            **_rule_tables(),
        },
    )
