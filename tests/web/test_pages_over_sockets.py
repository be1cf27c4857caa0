"""The worker's pages as whoever connects meets them, over real sockets."""

import asyncio
import base64
import dataclasses
import random
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import NamedTuple

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from streams.local_kafka.loopback import free_ports
from streams.settings import Settings
from streams.web import connection, server
from streams.web.access import WebAccess, WebRefusedError, web_access
from streams.web.connection import SECURITY_HEADERS
from streams.web.server import WebServer
from streams.web.source import Text, WorkerStatus

CANARY = "CANARY"
TOKEN = "a token that nobody guesses"  # noqa: S105 - a test's own
WELL = WorkerStatus(trouble=None, waiting=None)
_PATIENCE_SECONDS = 30.0


class Answer(NamedTuple):
    """What came back."""

    status: int
    headers: dict[str, str]
    body: str


class Source:
    """Tells what is set."""

    def __init__(self) -> None:
        self.current = WELL
        self.views: asyncio.Queue[bytes] = asyncio.Queue()

    def status(self) -> WorkerStatus:
        """What was set."""
        return self.current

    def metrics(self, accept: str) -> Text:
        """What was asked for."""
        return Text("text/plain; version=0.0.4", f"g9603_tasks 4 # {accept}\n".encode())

    def group(self) -> bytes:
        """A group."""
        return b'{"view": {}}'

    async def group_changes(self) -> AsyncIterator[bytes]:
        """Each view that is put, up to an empty one."""
        while view := await self.views.get():
            yield view


class Pages:
    """Running pages, and a source to set."""

    def __init__(self, access: WebAccess) -> None:
        self.source = Source()
        self.server = WebServer(access, self.source)
        self.tls: ssl.SSLContext | None = None

    async def raw(self, request: bytes) -> bytes:
        """Everything that is answered to *request*, up to the end of the connection."""
        host, port = self.server.address or ("", 0)
        reader, writer = await asyncio.open_connection(host, port, ssl=self.tls)
        writer.write(request)
        try:
            async with asyncio.timeout(_PATIENCE_SECONDS):
                return await reader.read()
        except ConnectionResetError:
            return b""
        finally:
            writer.close()

    async def ask(
        self, path: str, *headers: str, method: str = "GET", host: str = "127.0.0.1", body: str = ""
    ) -> Answer:
        """The answer to a request, as it came over the wire."""
        lines = [f"{method} {path} HTTP/1.1", f"Host: {host}", *headers, "", body]
        answered = (await self.raw("\r\n".join(lines).encode())).decode()
        head, _, text = answered.partition("\r\n\r\n")
        first, *rest = head.split("\r\n")
        return Answer(int(first.split()[1]), dict(line.split(": ", 1) for line in rest), text)


Serve = Callable[[WebAccess], Awaitable[Pages]]


@pytest.fixture
async def serve() -> AsyncIterator[Serve]:
    """Starts pages, which end with the test."""
    running: list[Pages] = []

    async def start(access: WebAccess) -> Pages:
        pages = Pages(access)
        running.append(pages)
        await pages.server.start()
        return pages

    yield start
    for pages in running:
        await pages.server.stop()


def on_loopback(*, token: bytes | None = None, host: str = "127.0.0.1") -> WebAccess:
    """An access with a port of its own."""
    (port,) = free_ports(1)
    return WebAccess(host, port, token, None)


@pytest.fixture
async def pages(serve: Serve) -> Pages:
    """Pages on loopback, open to the machine."""
    return await serve(on_loopback())


async def test_what_the_pages_say(pages: Pages) -> None:
    """To people a page, to Prometheus figures in the format that it takes, to scripts JSON, to supervisors a word."""
    front, style, script = [await pages.ask(path) for path in ("/", "/page/page.css", "/page/main.js")]
    assert (front.status, front.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    assert front.body.startswith("<!doctype html>")
    assert style.headers["Content-Type"] == "text/css; charset=utf-8"
    assert script.headers["Content-Type"] == "text/javascript; charset=utf-8"

    figures = await pages.ask("/metrics", "Accept: application/openmetrics-text")
    assert figures.headers["Content-Type"] == "text/plain; version=0.0.4"
    assert figures.body == "g9603_tasks 4 # application/openmetrics-text\n"
    assert (await pages.ask("/group")).body == '{"view": {}}'
    assert (await pages.ask("/healthz")).body == "alive\n"
    assert (await pages.ask("/readyz")).body == "ready\n"


async def test_a_supervisor_learns_of_trouble_and_a_balancer_of_waiting(pages: Pages) -> None:
    """The one ends the worker, the other waits for it; neither is told the other's reason."""
    pages.source.current = dataclasses.replace(WELL, waiting="restoring")
    assert ((await pages.ask("/healthz")).status, (await pages.ask("/readyz")).status) == (200, 503)
    assert (await pages.ask("/readyz")).body == "restoring\n"

    pages.source.current = dataclasses.replace(WELL, trouble="no step was committed")
    assert ((await pages.ask("/healthz")).status, (await pages.ask("/readyz")).status) == (503, 200)


@pytest.mark.parametrize("path", [f"/{CANARY}", f"/healthz/{CANARY}", f"/?{CANARY}", f"//{CANARY}", f"/%{CANARY}"])
async def test_an_unknown_path_is_not_repeated(pages: Pages, path: str) -> None:
    """What is asked for may be an id."""
    answered = await pages.ask(path)

    assert answered.status == (200 if path.startswith("/?") else 404)
    assert CANARY not in repr(answered)


FAUSTS = ["/table/", "/table/x/y/", "/router/", "/router/x/", "/stats/", "/dashboard/", "/production_index/", "/index/"]


@pytest.mark.parametrize("path", FAUSTS)
async def test_pages_of_faust_are_not_there(pages: Pages, path: str) -> None:
    """They show tables without asking who reads."""
    assert (await pages.ask(path)).status == 404


KNOWN = ["POST", "PUT", "DELETE", "OPTIONS", "TRACE", "PATCH"]


@pytest.mark.parametrize("method", [*KNOWN, "CONNECT", "CANARY"])
async def test_the_pages_can_only_be_read(pages: Pages, method: str) -> None:
    """Any other method is refused, and TRACE gives nothing back."""
    answered = await pages.ask("/", "X-Secret: CANARY", method=method)

    assert answered.status in ({405} if method in KNOWN else {400, 404})
    assert CANARY not in repr(answered)


async def test_a_head_has_no_body(pages: Pages) -> None:
    answered = await pages.ask("/", method="HEAD")

    assert (answered.status, answered.body) == (200, "")


@pytest.mark.parametrize(
    ("path", "status"), [("/", 200), ("/healthz", 200), ("/unknown", 404), ("/" + "a" * 4_200, 400)]
)
async def test_every_answer_has_the_security_headers(pages: Pages, path: str, status: int) -> None:
    """Errors of the protocol included."""
    answered = await pages.ask(path)

    assert answered.status == status
    assert answered.headers.items() >= SECURITY_HEADERS.items()
    assert answered.headers["Content-Type"] == f"text/{'html' if path == '/' else 'plain'}; charset=utf-8"


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"CANARY\r\n\r\n",
        b"GET /" + b"CANARY" * 800 + b" HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
        b"GET / HTTP/9.9 CANARY\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX: " + b"CANARY" * 800 + b"\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n" + b"X: CANARY\r\n" * 100 + b"\r\n",
        b"GET / HTTP/1.1\r\nCANARY\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: CANARY\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 6\r\n\r\nCANARY",
        b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: chunked\r\n\r\n6\r\nCANARY\r\n0\r\n\r\n",
        b"\x16\x03\x01CANARY\r\n\r\n",
    ],
    ids=["word", "line", "version", "header", "headers", "no_header", "length", "body", "chunked", "tls"],
)
async def test_what_is_too_much_or_no_http(
    pages: Pages, capfd: pytest.CaptureFixture[str], request_bytes: bytes
) -> None:
    """It is refused without being repeated, neither to who sent it nor in the log, and the next one is served."""
    answered = await pages.raw(request_bytes)

    assert answered.split()[1] in {b"400", b"413"}
    assert CANARY.encode() not in answered
    assert CANARY not in "".join(capfd.readouterr())
    assert (await pages.ask("/healthz")).status == 200


USUAL = b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer x\r\nAccept: */*\r\n\r\n"


async def test_whatever_is_sent(pages: Pages, monkeypatch: pytest.MonkeyPatch) -> None:
    """A request with some bytes in place of others is answered or cut off; none is a fault of ours."""
    monkeypatch.setattr(connection, "CONNECTION_SECONDS_MAX", 0.2)
    chance = random.Random(9603)  # noqa: S311 - not for secrets
    for _ in range(200):
        request = bytearray(USUAL)
        for _ in range(chance.randint(1, 6)):
            at = chance.randrange(len(request))
            request[at : at + chance.randint(0, 3)] = chance.randbytes(chance.randint(0, 3))
        answered = await pages.raw(bytes(request))
        assert not answered or answered.split()[1][:1] in {b"2", b"4"}, bytes(request)
    assert (await pages.ask("/healthz")).status == 200


async def test_a_connection_ends(pages: Pages, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever sends nothing, or never the end, is cut off."""
    monkeypatch.setattr(connection, "CONNECTION_SECONDS_MAX", 0.05)

    assert await pages.raw(b"") == b""
    assert await pages.raw(b"GET / HTTP/1.1\r\nX: ") == b""


async def test_connections_are_few(pages: Pages) -> None:
    """One too many is closed at once; when the others are gone there is room again."""
    address = pages.server.address or ("", 0)
    held = [await asyncio.open_connection(*address) for _ in range(connection.CONNECTIONS_MAX)]
    async with asyncio.timeout(_PATIENCE_SECONDS):
        while await pages.raw(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"):
            pass
    for _reader, writer in held:
        writer.close()
    async with asyncio.timeout(_PATIENCE_SECONDS):
        while b"200" not in await pages.raw(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"):
            pass


def _basic(name: str, password: str) -> str:
    return base64.b64encode(f"{name}:{password}".encode()).decode()


@pytest.mark.parametrize(
    ("header", "status"),
    [
        (f"Authorization: Bearer {TOKEN}", 200),
        ("X-None: 1", 401),
        ("Authorization: Bearer ", 401),
        (f"Authorization: Bearer {TOKEN[:-1]}", 401),
        (f"Authorization: Bearer {TOKEN}x", 401),
        (f"Authorization: bearer {CANARY}", 401),
        ("Authorization: Bearer ü", 401),
        (f"Authorization: Basic {_basic('anybody', TOKEN)}", 200),
        (f"Authorization: Basic {_basic(TOKEN, CANARY)}", 401),
        (f"Authorization: Basic {TOKEN}", 401),
        (f"Authorization: Digest {TOKEN}", 401),
    ],
)
async def test_a_token(serve: Serve, header: str, status: int) -> None:
    """Where there is a token, who does not know it sees whether the worker is well, and no more."""
    pages = await serve(on_loopback(token=TOKEN.encode()))

    answered = await pages.ask("/", header)

    assert answered.status == status
    assert ("g9603" in answered.body) == (status == 200)
    assert CANARY not in repr(answered)
    assert [(await pages.ask(path)).status for path in ("/healthz", "/readyz", "/unknown")] == [200, 200, 404]


EVENTS = b"GET /group/events HTTP/1.1\r\nHost: localhost\r\n\r\n"


async def test_the_group_as_it_changes(pages: Pages) -> None:
    """Each view is an event of its own, sent at once; the stream outlives what any other answer may take."""
    reader, writer = await asyncio.open_connection(*(pages.server.address or ("", 0)))
    writer.write(EVENTS)
    async with asyncio.timeout(_PATIENCE_SECONDS):
        for view in (b'{"lag_records": 1}', b'{"lag_records": 0}'):
            await pages.source.views.put(view)
            assert view in await reader.readuntil(view)
        await pages.source.views.put(b"")
        assert (await reader.read()).endswith(b"0\r\n\r\n")
    writer.close()


async def test_who_looks_on_does_not_keep_a_worker_from_ending(pages: Pages) -> None:
    """A stream is cut off with the pages."""
    reader, writer = await asyncio.open_connection(*(pages.server.address or ("", 0)))
    writer.write(EVENTS)
    async with asyncio.timeout(_PATIENCE_SECONDS):
        await reader.readuntil(b"\r\n\r\n")
        await pages.server.stop()
        with suppress(ConnectionResetError):
            await reader.read()
    writer.close()


async def test_streams_are_fewer_than_connections(pages: Pages) -> None:
    """However many look on, a supervisor gets its answer."""
    held = [await asyncio.open_connection(*(pages.server.address or ("", 0))) for _ in range(connection.STREAMS_MAX)]
    for reader, writer in held:
        writer.write(EVENTS)
        await reader.readuntil(b"\r\n\r\n")

    assert (await pages.ask("/group/events")).status == 503
    assert (await pages.ask("/healthz")).status == 200
    for _reader, writer in held:
        writer.close()


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("localhost", 200),
        ("localhost:6066", 200),
        ("127.0.0.1:1", 200),
        ("[::1]:6066", 200),
        ("rebound.example", 421),
        ("127.0.0.1.example:6066", 421),
        ("localhost.", 421),
        ("[", 421),
        ("", 421),
    ],
)
async def test_a_name_that_was_given_our_address(pages: Pages, host: str, status: int) -> None:
    """A page of somebody else's, open in a browser here, cannot read ours by DNS."""
    assert (await pages.ask("/", host=host)).status == status


def certificate(folder: Path) -> tuple[Path, Path]:
    """A certificate for 127.0.0.1 and its key, made now."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "g9603 tests")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(1))
        .not_valid_after(now + timedelta(1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    certificate_file, key_file = folder / "certificate.pem", folder / "key.pem"
    certificate_file.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    key_file.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return certificate_file, key_file


async def test_tls(serve: Serve, tmp_path: Path) -> None:
    """With a certificate the pages speak TLS 1.2 or newer, and nothing else."""
    certificate_file, key_file = certificate(tmp_path)
    (port,) = free_ports(1)
    settings = Settings(
        web_host="0.0.0.0",  # noqa: S104 - it is what TLS allows
        web_port=port,
        web_tls_certificate_file=certificate_file,
        web_tls_key_file=key_file,
    )
    access = web_access(settings)
    assert access is not None
    pages = await serve(dataclasses.replace(access, host="127.0.0.1"))
    plain = await pages.raw(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
    pages.tls = ssl.create_default_context(cafile=str(certificate_file))
    secure = await pages.ask("/")

    assert b"g9603" not in plain
    assert secure.status == 200
    assert access.tls is not None
    assert access.tls.minimum_version is ssl.TLSVersion.TLSv1_2


async def test_two_workers_on_one_machine(serve: Serve, capsys: pytest.CaptureFixture[str]) -> None:
    """The second takes the next port, and says which."""
    access = on_loopback()
    first, second = await serve(access), await serve(access)

    assert first.server.address == ("127.0.0.1", access.port)
    assert second.server.address is not None
    assert second.server.address[1] > access.port
    assert (await second.ask("/healthz")).status == 200
    assert f"{second.server.address[1]}" in capsys.readouterr().out


async def test_where_no_port_is_free_there_are_no_pages(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    """To code is more important than to tell of it."""
    monkeypatch.setattr(server, "_PORTS_TRIED", 1)
    access = on_loopback()
    await serve(access)

    assert (await serve(access)).server.address is None


@pytest.mark.parametrize("host", ["192.0.2.1", "no-such-host.invalid"])
def test_a_host_that_is_not_here(host: str) -> None:
    """It is told before the worker joins."""
    with pytest.raises(WebRefusedError, match=r"cannot be at .* set G9603_WEB_HOST to an address of this machine"):
        WebServer(WebAccess(host, 6066, b"token", None), Source())
