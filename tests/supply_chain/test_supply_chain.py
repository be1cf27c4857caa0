"""The audit is honest, and the bill of materials complete."""

import json
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from tests.supply_chain.audit import main
from tests.supply_chain.bill_of_materials import missing_from_bill


@contextmanager
def advisories(known: Mapping[str, Sequence[str]]) -> Iterator[str]:
    """A service of OSV's kind that knows of advisories by package; where it is."""

    class Service(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            """Answer a query for one version of a package."""
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            vulns = [
                {"id": name, "summary": "", "affected": [], "published": "2023-01-01T00:00:00Z"}
                for name in known.get(asked["package"]["name"], ())
            ]
            body = json.dumps({"vulns": vulns} if vulns else {}).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *told: object) -> None:  # noqa: A002 - the library's name
            """Say nothing."""

    with HTTPServer(("127.0.0.1", 0), Service) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/v1/query"
        server.shutdown()
        thread.join()


LOCKED = (
    'aiokafka==0.14.0 \\\n    --hash=sha256:00\natheris==3.0.0 ; sys_platform == "linux" \\\n    --hash=sha256:00\n'
)
BELIEVABLE = {"aiohttp": ["PYSEC-2023-120"]}


@pytest.mark.parametrize(
    ("known", "required", "code", "says"),
    [
        (BELIEVABLE, [], 0, "audit: 0 findings in 2 packages, by osv"),
        (BELIEVABLE | {"atheris": ["PYSEC-1"]}, [], 1, "audit: atheris 3.0.0: PYSEC-1; mended in no version yet"),
        ({"atheris": ["PYSEC-1"]}, [], 0, "audit: NOT CHECKED"),
        ({}, ["--required"], 1, "audit: NOT CHECKED"),
    ],
    ids=["nothing", "finding", "not_to_be_believed", "required"],
)
def test_audit(  # noqa: PLR0913, PLR0917 - a row of the table
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    known: Mapping[str, Sequence[str]],
    required: Sequence[str],
    code: int,
    says: str,
) -> None:
    """A finding fails, silence does not pass for none."""
    lock = tmp_path / "lock"
    lock.write_text(LOCKED)
    with advisories(known) as url:
        ended = main(["--lock", str(lock), "--osv-url", url, *required])

    assert says in capsys.readouterr().out
    assert ended == code


def test_a_service_that_is_not_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Not reachable, not checked."""
    lock = tmp_path / "lock"
    lock.write_text(LOCKED)

    assert main(["--lock", str(lock), "--osv-url", "http://127.0.0.1:1/v1/query"]) == 0
    assert "NOT CHECKED: no advisory service (osv) can be reached" in capsys.readouterr().out


HASH = "ab" * 32


@pytest.mark.parametrize(
    ("version", "content", "missing"), [("1", HASH, []), ("2", HASH, ["a==1"]), ("1", "cd" * 32, ["a==1"])]
)
def test_the_bill_is_held_against_the_lock(version: str, content: str, missing: Sequence[str]) -> None:
    """Each package with its version and its hashes."""
    bill = {"name": "a", "version": version, "externalReferences": [{"hashes": [{"content": content}]}]}

    assert (
        missing_from_bill(f"# made\na==1 \\\n    --hash=sha256:{HASH}\n", json.dumps({"components": [bill]})) == missing
    )
