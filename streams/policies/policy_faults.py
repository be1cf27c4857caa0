"""What is wrong with a policy file, in sentences: each begins with the place, and says what to write instead.

A place reads like ``payers[2].modifiers[1]``: tables and list entries are counted from 1, as a reader counts.
"""

from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from streams.policies.policy_file import (
    AppliesToTable,
    BaselineTable,
    FollowUpTable,
    ImprovementTable,
    OtherPayerTable,
    PayerTable,
    PolicyFile,
    ProgramTable,
    SurveysTable,
    TreatmentsTable,
)

Tables = Mapping[str, Any]
"""A policy file as TOML reads it."""

_Path = tuple[int | str, ...]

_TABLES: Mapping[str, type[BaseModel]] = {
    "": PolicyFile,
    "baseline": BaselineTable,
    "follow_up": FollowUpTable,
    "improvement": ImprovementTable,
    "surveys": SurveysTable,
    "treatments": TreatmentsTable,
    "payers": PayerTable,
    "other_payer": OtherPayerTable,
    "programs": ProgramTable,
    "applies_to": AppliesToTable,
}
_LISTS_OF_TABLES = ("payers", "programs")
_HEADINGS = {
    **{name: f"under [{name}]" for name in _TABLES},
    **{name: f"under [[{name}]]" for name in _LISTS_OF_TABLES},
    "applies_to": "under [programs.applies_to]",
    "": "at the top, above the first table",
}

_SENTENCES = {
    "enum": "write {expected}, not {value}",
    "exact_decimal": "{value} is no number: write one such as 5 or 3.5",
    "frozen_set_type": "write a list, such as [{value}]",
    "greater_than": "{value} is too small: write a number above {gt}",
    "greater_than_equal": "{value} is too small: write {ge} or more",
    "int_type": "{value} is no whole number: write one without quotes and without a point",
    "literal_error": "write {expected}, not {value}",
    "missing": "it is missing",
    "model_type": "write a table here, not {value}",
    "string_too_long": "it is too long: at most {max_length} characters",
    "string_too_short": "it is empty",
    "string_type": "{value} is no text: put it in quotes",
    "too_long": "these are {actual_length}: there is room for {max_length} on a line",
    "tuple_type": "write a list, such as [{value}]",
}


def faults_of_fields(error: ValidationError, tables: Tables) -> Iterator[str]:
    """What *error* found in *tables*, a sentence for each fault."""
    for details in error.errors(include_url=False):
        path = details["loc"]
        sentence = f"{_place(path, tables)}: {_what_is_wrong(details)}"
        yield sentence if sentence.endswith((".", "?")) else f"{sentence}."


def faults_between_tables(tables: Tables) -> Iterator[str]:
    """What is wrong with *tables* though each of them may be right: names given twice, windows that never open.

    Takes the file as it was read, so that these are told along with the faults within the tables.
    """
    yield from _names_of_two_payers(tables)
    yield from _names_of_two_programs(tables)
    yield from _windows_that_never_open(tables)


def _names_of_two_payers(tables: Tables) -> Iterator[str]:
    owners: dict[str, int] = {}
    for number, payer in _entries(tables, "payers"):
        matches = payer.get("matches")
        names = [payer.get("id"), payer.get("name"), *(matches if isinstance(matches, list) else ())]
        for name in {name.strip().lower(): name for name in names if isinstance(name, str)}.values():
            owner = owners.setdefault(name.strip().lower(), number)
            if owner != number:
                place = _place(("payers", number - 1), tables)
                yield f'{place}: "{name}" means payers[{owner}] already; one payer_id cannot mean two payers.'


def _names_of_two_programs(tables: Tables) -> Iterator[str]:
    owners: dict[str, int] = {}
    for number, program in _entries(tables, "programs"):
        name = program.get("id")
        if isinstance(name, str) and (owner := owners.setdefault(name.strip(), number)) != number:
            yield f'programs[{number}].id: "{name}" is the id of programs[{owner}] already; give it its own.'


def _windows_that_never_open(tables: Tables) -> Iterator[str]:
    stated: dict[_Path, Tables] = {("follow_up",): _table(tables, "follow_up")}
    for number, program in _entries(tables, "programs"):
        stated["programs", number - 1, "follow_up"] = _table(program, "follow_up")
    for path, window in stated.items():
        whole = {**FollowUpTable().model_dump(), **stated["follow_up",], **window}
        match whole:
            case {"from_days": int(opens), "to_days": int(closes)} if window and 0 <= closes < opens:
                yield (
                    f"{_place(path, tables)}: the window would open on day {opens} and close on day {closes}: "
                    "write a from_days that is not after to_days."
                )


def _entries(tables: Tables, name: str) -> Iterator[tuple[int, Tables]]:
    """The tables of the list *name*, counted from 1; what is no table is passed over."""
    entries = tables.get(name)
    for number, entry in enumerate(entries if isinstance(entries, list) else (), start=1):
        if isinstance(entry, dict):
            yield number, entry


def _table(tables: Tables, name: str) -> Tables:
    table = tables.get(name)
    return table if isinstance(table, dict) else {}


def _what_is_wrong(details: ErrorDetails) -> str:
    path, kind = details["loc"], details["type"]
    if kind == "extra_forbidden":
        return _unknown_key(path)
    if kind == "tuple_type" and path[-1] in _LISTS_OF_TABLES:
        return f"write [[{path[-1]}]] in double brackets, once for each"
    if kind in _SENTENCES:
        value = _as_written(details["input"])
        return _SENTENCES[kind].format(value=value, **details.get("ctx", {})).replace("'", '"')
    return details["msg"].removeprefix("Value error, ")


def _unknown_key(path: _Path) -> str:
    key = str(path[-1])
    table = next((name for name in reversed(path[:-1]) if isinstance(name, str)), "")
    here = _TABLES[table].model_fields
    near = get_close_matches(key, {name for fields in _TABLES.values() for name in fields.model_fields}, n=1)
    if not near:
        return f"there is no such key; the keys here are {', '.join(here)}"
    if near[0] in here:
        return f'there is no such key; did you mean "{near[0]}"?'
    homes = [_HEADINGS[name] for name, fields in _TABLES.items() if near[0] in fields.model_fields]
    return f'there is no such key here; "{near[0]}" belongs {" or ".join(homes)}'


def _place(path: _Path, tables: Tables) -> str:
    """*path* as a reader finds it, with the id of the payer or program that it leads into."""
    place = "".join(f"[{step + 1}]" if isinstance(step, int) else f".{step}" for step in path).removeprefix(".")
    match path:
        case [str(name), int(index), *_] if name in _LISTS_OF_TABLES:
            named = dict(_entries(tables, name)).get(index + 1, {}).get("id")
            return f'{place} ("{named}")' if isinstance(named, str) and named else place
    return place or "the file"


def _as_written(value: object) -> str:
    """*value* as TOML writes it, near enough to be found again."""
    if isinstance(value, bool):
        return str(value).lower()
    return f'"{value}"' if isinstance(value, str) else str(value)
