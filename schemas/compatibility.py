"""Would a change of the contract break somebody who was built for an earlier version of it?

Who sends us messages must be able to go on sending them: the newer schema admits all that the older one admits. Who
reads ours must be able to read all of them: the older schema admits all that the newer one does. And for both, a field
that is gone, or that has another default, has changed its meaning. Fields may be added, for readers ignore what they do
not know.

The schemas are those that `schemas.json_schema` makes; a keyword that this module does not understand may not change.
"""

from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import Any, NamedTuple

Schema = Mapping[str, Any]

_LOWER_BOUNDS = ("minLength", "minItems", "minimum", "exclusiveMinimum")
_UPPER_BOUNDS = ("maxLength", "maxItems", "maximum", "exclusiveMaximum")
_SAYS_NOTHING = frozenset({"$schema", "$id", "$defs", "title", "description", "examples", "default"})
"""Words that do not decide what is valid; a default is looked at by itself."""
_UNDERSTOOD = _SAYS_NOTHING | {*_LOWER_BOUNDS, *_UPPER_BOUNDS} | {"type", "enum", "const", "properties", "required"}
_UNDERSTOOD |= {"items", "$ref"}


class Side(StrEnum):
    """On which side of us the messages of a schema are."""

    INPUT = "input"
    OUTPUT = "output"


class _Place(NamedTuple):
    """A part of a schema, the document that its references lead into, and where it is for a reader."""

    schema: Schema
    document: Schema
    path: str = "the message"

    def at(self, schema: Schema, name: str) -> "_Place":
        return _Place(schema, self.document, name if self.path == "the message" else f"{self.path}.{name}").resolved()

    def resolved(self) -> "_Place":
        """The part that a reference leads to; what stands beside the reference is kept."""
        reference = self.schema.get("$ref")
        if reference is None:
            return self
        target = self.document["$defs"][reference.removeprefix("#/$defs/")]
        beside = {word: said for word, said in self.schema.items() if word != "$ref"}
        return self._replace(schema={**target, **beside}).resolved()

    def variants(self) -> list["_Place"]:
        """The alternatives of a part that is nothing but alternatives."""
        if "anyOf" in self.schema and "properties" not in self.schema:
            return [self._replace(schema=variant).resolved() for variant in self.schema["anyOf"]]
        return [self]

    def words(self) -> dict[str, Any]:
        """Keywords that are compared as they stand."""
        return {word: said for word, said in self.schema.items() if word not in _UNDERSTOOD}


def breaking_changes(released: Schema, current: Schema, side: Side) -> list[str]:
    """What would break those who were built for *released*, a sentence each; none where *current* is compatible."""
    before, after = _Place(released, released), _Place(current, current)
    admitted = _not_admitted(before, after) if side is Side.INPUT else _not_admitted(after, before)
    return [*_changed_meaning(before, after), *admitted]


def _changed_meaning(before: _Place, after: _Place) -> Iterator[str]:
    for old, new in zip(before.variants(), after.variants(), strict=False):
        told = new.schema.get("properties", {})
        for name, schema in old.schema.get("properties", {}).items():
            was = old.at(schema, name)
            if name not in told:
                yield f"{was.path} is gone"
                continue
            now = new.at(told[name], name)
            if was.schema.get("default") != now.schema.get("default"):
                yield f"{was.path} has another default"
            yield from _changed_meaning(was, now)
        if "items" in old.schema and "items" in new.schema:
            yield from _changed_meaning(old.at(old.schema["items"], "[]"), new.at(new.schema["items"], "[]"))


def _not_admitted(written: _Place, read: _Place) -> Iterator[str]:
    """What *written* allows to say and *read* does not understand."""
    readings = read.variants()
    for variant in written.variants():
        faults = [list(_not_admitted_variant(variant, reading)) for reading in readings]
        if all(faults):
            yield from min(faults, key=len)


def _not_admitted_variant(written: _Place, read: _Place) -> Iterator[str]:
    said, understood, path = written.schema, read.schema, written.path
    if "type" in understood and not _is_of_type(said.get("type"), understood["type"]):
        yield f"{path} may be {said.get('type', 'anything')}, where {understood['type']} is understood"
        return
    if written.words() != read.words():
        yield f"{path} is ruled by other keywords ({', '.join(sorted({*written.words(), *read.words()}))})"
    yield from _values_beyond(written, read)
    for name in understood.get("required", ()):
        if name not in said.get("required", ()):
            yield f"{path if path != 'the message' else 'a message'} may lack {name}, which is required"
    for name, schema in understood.get("properties", {}).items():
        if name in said.get("properties", {}):
            yield from _not_admitted(written.at(said["properties"][name], name), read.at(schema, name))
    if "items" in understood:
        yield from _not_admitted(written.at(said.get("items", {}), "[]"), read.at(understood["items"], "[]"))


def _values_beyond(written: _Place, read: _Place) -> Iterator[str]:
    said, understood, path = written.schema, read.schema, written.path
    values, known = _values(said), _values(understood)
    if known is not None and (values is None or not values <= known):
        new = "any value" if values is None else ", ".join(sorted(values - known))
        yield f"{path} may be {new}, which is not understood"
    for word in (*_LOWER_BOUNDS, *_UPPER_BOUNDS):
        if word in understood and not _is_within(word, said.get(word), understood[word]):
            yield f"{path} has {word} {said.get(word, 'none')}, where {understood[word]} is the bound"


def _is_of_type(said: str | None, understood: str) -> bool:
    return said == understood or (said, understood) == ("integer", "number")


def _values(schema: Schema) -> set[str] | None:
    """The only values that are valid, as text; None where they are not listed."""
    if "const" in schema:
        return {str(schema["const"])}
    return set(map(str, schema["enum"])) if "enum" in schema else None


def _is_within(word: str, said: float | None, bound: float) -> bool:
    if said is None:
        return False
    return said >= bound if word in _LOWER_BOUNDS else said <= bound
