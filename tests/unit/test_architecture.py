"""The house rules that a machine can see."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCES = sorted(path for folder in ("schemas", "streams", "bench") for path in (ROOT / folder).rglob("*.py"))
CORE = sorted((ROOT / "streams" / "domain").glob("*.py"))
MODULE_LINES_MAX = 300
FUNCTION_LINES_MAX = 40
SHELL = {"aiokafka", "asyncio", "confluent_kafka", "faust", "mode", "pydantic", "socket", "structlog"}
NAMES_THAT_SAY_NOTHING = {"utils", "helpers", "common", "base", "misc", "manager", "models"}


def _module_name(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


@pytest.mark.parametrize("path", CORE, ids=_module_name)
def test_importing_the_core_drags_in_no_shell(path: Path) -> None:
    """A fresh interpreter that imports a core module has no client, no clock's loop and no framework loaded.

    import-linter cannot see what a parent package's ``__init__`` drags in; this can.
    """
    program = f"import sys, {_module_name(path)}; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=True, capture_output=True, text=True)

    assert not SHELL & set(loaded.stdout.split()), "keep the core pure: hand in what it needs as an argument"


@pytest.mark.parametrize("path", [p for p in SOURCES if p.name == "__init__.py"], ids=_module_name)
def test_a_package_file_holds_a_docstring_and_nothing_else(path: Path) -> None:
    """Whoever imports a module gets that module, and not what its package thought it might need."""
    (statement,) = ast.parse(path.read_text()).body

    assert isinstance(statement, ast.Expr)
    assert isinstance(statement.value, ast.Constant)


@pytest.mark.parametrize("path", SOURCES, ids=_module_name)
def test_modules_and_functions_stay_small(path: Path) -> None:
    """Nothing is longer than a reader can hold: split it where a second noun is visible."""
    text = path.read_text()
    functions = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    lengths = {function.name: (function.end_lineno or 0) - _first_line(function) for function in functions}

    assert len(text.splitlines()) <= MODULE_LINES_MAX
    assert {name for name, length in lengths.items() if length > FUNCTION_LINES_MAX} == set()


def _first_line(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """The line after the docstring: prose is not what makes a function long."""
    body = function.body
    documented = isinstance(body[0], ast.Expr) and isinstance(body[0].value, ast.Constant)
    return (body[0].end_lineno or 0) if documented else function.lineno


def test_names_say_something() -> None:
    """No module is called by a word that would fit any module."""
    assert NAMES_THAT_SAY_NOTHING.isdisjoint(path.stem for path in SOURCES)


def test_the_environment_is_read_in_one_place() -> None:
    """Only the settings read ``G9603_`` variables; processes of ours are given theirs, and the demo asks for one."""
    readers = {_module_name(path) for path in SOURCES if "os.environ" in path.read_text()}

    assert readers <= {"streams.settings", "streams.demo.worker_process", "streams.cli.demo", *_bench(readers)}


def _bench(readers: set[str]) -> set[str]:
    return {name for name in readers if name.startswith("bench.")}
