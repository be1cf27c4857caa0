"""The shapes that the page gets, as TypeScript declares them: written from the Python that sends them.

`python -m tests.page.view_types` writes them anew; the checks of the page's code (tsc) go by them.
"""

from pathlib import Path

from msgspec import inspect

from streams.monitoring.history import GroupSnapshot

DECLARATIONS = Path(__file__).with_name("group_view.d.ts")
_HEADING = "// Written by `python -m tests.page.view_types` from streams/monitoring.\n"
_SCALARS = {inspect.IntType: "number", inspect.FloatType: "number", inspect.StrType: "string", inspect.NoneType: "null"}


def declarations() -> str:
    """All shapes, as the text of a ``.d.ts`` file."""
    named: dict[str, str] = {}
    _reference(inspect.type_info(GroupSnapshot), named)
    return "\n".join([_HEADING, *(f"type {name} = {shape};\n" for name, shape in sorted(named.items()))])


def _reference(kind: inspect.Type, named: dict[str, str]) -> str:
    """How *kind* is referred to; what has a name of its own is put down in *named*."""
    match kind:
        case inspect.StructType():
            name = kind.cls.__name__
            named[name] = ""
            named[name] = _tuple(kind, named) if kind.array_like else _object(kind, named)
            return name
        case inspect.EnumType():
            named[kind.cls.__name__] = " | ".join(f'"{member.value}"' for member in kind.cls)
            return kind.cls.__name__
        case inspect.UnionType():
            return " | ".join(_reference(one, named) for one in kind.types)
        case inspect.VarTupleType():
            return f"readonly {_reference(kind.item_type, named)}[]"
        case inspect.DictType():
            return f"Readonly<Record<string, {_reference(kind.value_type, named)}>>"
        case _:
            return _SCALARS[type(kind)]


def _object(kind: inspect.StructType, named: dict[str, str]) -> str:
    fields = (f"  readonly {field.encode_name}: {_reference(field.type, named)};\n" for field in kind.fields)
    return f"{{\n{''.join(fields)}}}"


def _tuple(kind: inspect.StructType, named: dict[str, str]) -> str:
    fields = (f"{field.encode_name}: {_reference(field.type, named)}" for field in kind.fields)
    return f"readonly [{', '.join(fields)}]"


if __name__ == "__main__":
    DECLARATIONS.write_text(declarations(), encoding="utf-8")
