"""A worker's log line, as it stands on standard error."""

import ast
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from streams.logs import log_hash_key
from streams.redaction import IdHash
from streams.secret_text import SecretRefusedError
from streams.settings import Settings
from streams.worker.ending import EXIT_DOUBT

KEY = "a key that is long enough"
PROGRAM = f"""
import logging, structlog
from streams.logs import configure_logs
configure_logs({KEY.encode()!r})
log = structlog.get_logger()
log.warning("bound_exceeded", episode_id="EP-CANARY", key=b"EP-CANARY", limit=5, record=object())
logging.getLogger("faust").error("k=%r v=%r n=%d", b"CANARY", {{"v": b"CANARY"}}, 3)
logging.getLogger("asyncio").error("future: ValueError('CANARY')")
try:
    raise KeyError("CANARY")
except KeyError as error:
    log.exception("failed")
    logging.getLogger("mode").exception("crashed: %r", error)
logging.getLogger("faust").error("%d", b"CANARY")
raise ValueError("CANARY")
"""


def said(program: str) -> list[dict[str, object]]:
    """The lines that *program* logs."""
    ran = subprocess.run([sys.executable, "-c", program], check=False, capture_output=True, text=True)
    assert ran.stdout == ""
    return [json.loads(line) for line in ran.stderr.splitlines()]


def test_whatever_is_logged_shows_no_patient_data() -> None:
    """Ids are hashes wherever they stand, arguments of libraries and errors are told by type and place."""
    lines = said(PROGRAM)

    assert "CANARY" not in json.dumps(lines)
    bound, dropped, asyncio_line, failed, crashed, last = lines
    shown = IdHash(KEY.encode())("EP-CANARY")
    assert (bound["episode_id"], bound["key"], bound["limit"]) == (shown, shown, 5)
    assert dropped["event"] == "k='<bytes>' v={'v': '<bytes>'} n=3"
    assert asyncio_line["level"] == "error"
    assert failed["exception"] == "KeyError at <string>:10 <module>"
    assert crashed["exception"] == failed["exception"]
    assert last["event"] == "unhandled_error"


def test_the_hash_key_comes_from_a_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    """One key for the fleet brings the lines of its workers together."""
    monkeypatch.setenv("G9603_LOG_HASH_KEY", KEY)

    assert log_hash_key(Settings()) == KEY.encode()


def test_a_key_that_could_be_guessed_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """And the refusal does not show it."""
    monkeypatch.setenv("G9603_LOG_HASH_KEY", "short")

    with pytest.raises(SecretRefusedError, match="G9603_LOG_HASH_KEY: 5 bytes are too few"):
        log_hash_key(Settings())
    assert "short" not in repr(Settings())


def test_without_a_key_there_is_none() -> None:
    """The process draws its own."""
    assert log_hash_key(Settings()) is None


FULL_DISK = Path("/dev/full")


@pytest.mark.skipif(not FULL_DISK.exists(), reason="a device that is always full is Linux's")
@pytest.mark.parametrize(
    ("program", "exit_code"),
    [
        ("logging.getLogger('faust').error('lost'); log.error('lost'); os._exit(3)", 3),
        ("end_process(ValueError())", EXIT_DOUBT),
    ],
    ids=["it goes on", "it ends as it must"],
)
def test_a_full_disk_under_the_log_changes_nothing(program: str, exit_code: int) -> None:
    """What cannot be said is not said; a worker works on, and one in doubt does not live on for want of a last word."""
    preamble = (
        "import logging, os, structlog; from streams.logs import configure_logs; "
        "from streams.worker.ending import end_process; configure_logs(); log = structlog.get_logger(); "
    )
    with FULL_DISK.open("w") as full:
        ran = subprocess.run([sys.executable, "-c", preamble + program], check=False, stderr=full)

    assert ran.returncode == exit_code


def test_every_event_is_described() -> None:
    """Whoever searches logs by the names of events finds each in the table, with its level, and none that is not."""
    said = {
        (call.args[0].value, call.func.attr)
        for path in Path("streams").rglob("*.py")
        for call in ast.walk(ast.parse(path.read_text()))
        if isinstance(call, ast.Call)
        and isinstance(call.func, ast.Attribute)
        and isinstance(call.func.value, ast.Name)
        and call.func.value.id == "_log"
        and isinstance(call.args[0], ast.Constant)
    }
    table = Path("streams/worker/README.md").read_text().split("## What it logs")[1].split("\n## ")[0]

    assert set(re.findall(r"^\| `(\w+)` \| (\w+) \|", table, re.MULTILINE)) == said


@pytest.mark.parametrize(("log_format", "is_json"), [("json", True), ("console", False), ("auto", True)])
def test_for_whom(log_format: str, is_json: bool) -> None:  # noqa: FBT001
    """What a person reads is not what a collector parses; no terminal, no person."""
    program = (
        "import structlog; from streams.logs import configure_logs; from streams.settings import LogFormat; "
        f"configure_logs(log_format=LogFormat({log_format!r})); structlog.get_logger().info('worker_started')"
    )
    said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stderr

    assert said.startswith("{") == is_json
    assert "worker_started" in said
