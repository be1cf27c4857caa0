"""A supervisor's question to the worker's pages, by the program that the image asks with.

`make image-check` asks a real worker with it; here a server says what the test wants to be said.
"""

import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from streams.local_kafka.loopback import free_ports
from streams.settings import Settings
from streams.web.probe import probe
from tests.certificates import Authority, CertificateFiles


@contextmanager
def server_that_says(status: int, tls: CertificateFiles | None = None) -> Iterator[int]:
    """A server whose every page is its path, with *status*; its port."""

    class Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.end_headers()
            self.wfile.write(f"{self.path}\n".encode())

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - http.server's own name
            """Nothing."""

    with HTTPServer(("127.0.0.1", 0), Page) as server:
        if tls is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*tls)
            server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server.server_address[1]
        finally:
            server.shutdown()
            thread.join()


@pytest.mark.parametrize(("status", "is_well"), [(200, True), (503, False), (404, False)])
@pytest.mark.parametrize("page", ["healthz", "readyz"])
def test_what_the_page_says_counts(page: str, status: int, *, is_well: bool) -> None:
    with server_that_says(status) as port:
        assert probe(Settings(web_port=port), page) == (is_well, f"/{page}")


def test_a_worker_that_listens_everywhere_is_asked_on_loopback() -> None:
    with server_that_says(200) as port:
        everywhere = Settings(web_host="0.0.0.0", web_port=port)  # noqa: S104 - nothing is opened

        assert probe(everywhere, "healthz") == (True, "/healthz")


def test_pages_behind_tls_are_asked_by_tls(tmp_path: Path) -> None:
    """By no name that the certificate has: others know it by that."""
    files = Authority(tmp_path).issue("worker", "worker.test")
    with server_that_says(200, files) as port:
        settings = Settings(web_port=port, web_tls_certificate_file=files.certificate, web_tls_key_file=files.key)

        assert probe(settings, "healthz") == (True, "/healthz")


def test_nobody_answers() -> None:
    (port,) = free_ports(1)

    is_well, said = probe(Settings(web_port=port), "healthz")

    assert not is_well
    assert f"127.0.0.1:{port} does not answer" in said


def test_a_worker_without_pages_is_not_ended_for_that() -> None:
    assert probe(Settings(web_port=0), "healthz")[0]
