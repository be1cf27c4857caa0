"""Which fields do log lines have? Those of a list: whoever adds one has thought of what it may hold."""

import ast
from pathlib import Path

ROOT = Path(__file__).parents[2]
HARMLESS = frozenset({
    *("app_id", "slot", "policy", "policy_version", "generation", "exit_code", "signal", "host", "port", "tls"),
    *("records", "partitions", "tasks", "restored", "topic", "partition", "offset", "source", "read_to", "on_at"),
    *("reason", "count", "error", "then", "limit", "seconds", "place"),
})  # fmt: skip
HASHED = frozenset({"episode_id", "patient_id", "survey_id", "treatment_id", "event_id", "encounter_id", "key"})
LEVELS = frozenset({"debug", "info", "warning", "error", "critical", "exception"})


def fields_of(source: str) -> set[str]:
    """The names of all fields that *source* logs; ``*`` where they cannot be seen."""
    calls = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)]
    logs = [
        call
        for call in calls
        if isinstance(call.func, ast.Attribute)
        and call.func.attr in LEVELS
        and isinstance(call.func.value, ast.Name)
        and call.func.value.id in {"_log", "log"}
    ]
    positional = {"*" for call in logs if len(call.args) > 1 or not isinstance(call.args[0], ast.Constant)}
    return {keyword.arg or "*" for call in logs for keyword in call.keywords} | positional


def test_every_field_is_harmless_or_hashed() -> None:
    """Structured, by a list of what is allowed: an event in fixed words, and fields whose values are no patient's."""
    used = {name for path in (ROOT / "streams").rglob("*.py") for name in fields_of(path.read_text())}

    assert used - HARMLESS - HASHED == set(), (
        "log ids as episode_id, patient_id …, which become hashes; add a field here if it never holds patient data"
    )


def test_the_search_finds_what_it_should() -> None:
    """A test that finds nothing must have looked."""
    source = "_log.info('x', patient=1)\nlog.error(f'{x}')\n_log.info('x', **told)\n_log.info('%s', told)\nx.info(y=1)"

    assert fields_of(source) == {"patient", "*"}
