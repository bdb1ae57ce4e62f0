"""The one request, against a real server that answers as badly as servers, proxies and networks do."""

import asyncio
import gzip
import socket
import ssl
import sys
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest

from tests.ports import kept_port
from tests.release_server import REPOSITORY, Answer, ReleaseServer, listing, release, reply
from tests.waiting import until
from tray_app.updates.feed import ReleaseFeed
from tray_app.updates.fetching import MAX_BYTES, UpdateCheckFailed, fetch_releases
from tray_app.updates.releases import Release

LIST = "/repos/dragoman/dragoman/releases?per_page=30"


def fetch(feed: ReleaseFeed, timeout_seconds: float = 60.0) -> list[Release]:
    return asyncio.run(fetch_releases(feed, timeout_seconds=timeout_seconds))


def failure(feed: ReleaseFeed, timeout_seconds: float = 60.0) -> UpdateCheckFailed:
    with pytest.raises(UpdateCheckFailed) as failed:
        fetch(feed, timeout_seconds)
    error = failed.value
    assert error.message.endswith((".", "\u201d")) or ":" in error.message
    assert error.hint
    return error


def test_one_get_that_says_nothing(server: ReleaseServer) -> None:
    server.answer = listing(release("v0.2.0", "Notes"), release("v0.1.0"))
    assert [(entry.tag, entry.notes) for entry in fetch(server.feed())] == [("v0.2.0", "Notes"), ("v0.1.0", "")]
    ((method, target, headers),) = server.requests
    assert (method, target) == ("GET", LIST)
    assert headers == {
        "host": f"127.0.0.1:{server.port}",
        "user-agent": "Dragoman",
        "accept": "application/vnd.github+json",
        "accept-encoding": "identity",
        "connection": "keep-alive",
    }


def test_no_credentials_are_sent(server: ReleaseServer, made_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    netrc = made_home / ".netrc"
    netrc.write_text("default login ada password secret\nmachine 127.0.0.1 login ada password secret\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    monkeypatch.setenv("GITHUB_TOKEN", "secret")
    fetch(server.feed())
    assert "authorization" not in server.requests[0][2]


def test_cookies_are_not_kept(server: ReleaseServer) -> None:
    server.answer = reply(200, b"[]", {"set-cookie": "id=1; Path=/"})
    fetch(server.feed())
    fetch(server.feed())
    assert all("cookie" not in headers for _, _, headers in server.requests)


@pytest.mark.parametrize(
    ("answer", "message", "hint"),
    [
        (reply(404, b'{"message": "Not Found"}'), "knows no releases", "moved"),
        (reply(410), "knows no releases", "moved"),
        (reply(403), "refused the request (status 403)", "release page"),
        (reply(401), "refused the request (status 401)", "release page"),
        (reply(304), "refused the request (status 304)", "release page"),
        (reply(429), "no more requests", "Try again later"),
        (reply(429, headers={"retry-after": "90"}), "no more requests", "Try again in"),
        (reply(429, headers={"retry-after": "Fri, 31 Dec 1999"}), "no more requests", "Try again later"),
        (reply(403, headers={"x-ratelimit-reset": "0"}), "no more requests", "Try again later"),
        (reply(403, headers={"x-ratelimit-reset": "nan"}), "no more requests", "Try again later"),
        (reply(407), "proxy wants a user name", "HTTPS_PROXY"),
        (reply(500), "problem of its own (status 500)", "later"),
        (reply(503, b"<html>"), "problem of its own (status 503)", "later"),
        (reply(200, b"<html>Sign in to the hotel</html>"), "not a list of releases", "sign-in page"),
        (reply(200, b'{"message": "x"}'), "not a list of releases", "sign-in page"),
        (reply(200, b""), "not a list of releases", "sign-in page"),
        (reply(200, b"\x00\xff" * 50), "not a list of releases", "sign-in page"),
        (reply(200, b"[", {"content-length": "900"}), "was cut", "Try again"),
        (reply(302), "without end", "release page"),
        (reply(302, headers={"location": "https://elsewhere.test/x"}), "on to elsewhere.test, which is not", "moved"),
        (reply(302, headers={"location": "//elsewhere.test/x"}), "on to elsewhere.test, which is not", "moved"),
        (reply(302, headers={"location": "https://127.0.0.1:1/x"}), "which is not asked", "moved"),
        (reply(301, headers={"location": "file:///etc/passwd"}), "which is not asked", "moved"),
        (reply(302, headers={"location": "http://[::bad"}), "not a list of releases", "sign-in page"),
    ],
)  # fmt: skip
def test_a_bad_answer_is_a_sentence(server: ReleaseServer, answer: Answer, message: str, hint: str) -> None:
    server.answer = answer
    error = failure(server.feed())
    assert message in error.message
    assert hint in error.hint


def test_the_end_of_a_limit_is_told(server: ReleaseServer) -> None:
    server.answer = reply(403, headers={"x-ratelimit-reset": str(time.time() + 3000)})
    assert "Try again in " in failure(server.feed()).hint


def test_a_redirect_within_the_server_is_followed(server: ReleaseServer) -> None:
    server.answers = {
        LIST: reply(301, headers={"location": "/repositories/1/releases"}),
        "/repositories/1/releases": reply(307, headers={"location": f"{server.url}/final"}),
        "/final": listing(release("v0.2.0")),
    }
    assert [entry.tag for entry in fetch(server.feed())] == ["v0.2.0"]


def test_redirects_in_a_circle_end(server: ReleaseServer) -> None:
    server.answer = reply(302, headers={"location": LIST})
    failure(server.feed())
    assert len(server.requests) == 4


def test_a_huge_body_is_not_read(server: ReleaseServer) -> None:
    sent = 0

    def answer(handler: BaseHTTPRequestHandler) -> None:
        nonlocal sent
        handler.send_response(200)
        handler.end_headers()
        while not server.closing.is_set():  # without end
            sent += handler.wfile.write(b" " * 65536)

    server.answer = answer
    assert "too large" in failure(server.feed()).message
    assert sent < MAX_BYTES + 100_000_000


def test_a_bomb_stays_packed(server: ReleaseServer) -> None:
    # No compression was asked for. What comes compressed all the same is limited by its unpacked size.
    server.answer = reply(200, gzip.compress(b"[" + b" " * 50_000_000 + b"]"), {"content-encoding": "gzip"})
    assert "too large" in failure(server.feed()).message


@pytest.mark.parametrize("begins", [False, True])
def test_an_answer_that_does_not_come_ends_in_time(server: ReleaseServer, begins: bool) -> None:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        if begins:
            handler.send_response(200)
            handler.end_headers()
            handler.wfile.write(b"[")
            handler.wfile.flush()
        server.closing.wait()

    server.answer = answer
    assert "did not answer in time" in failure(server.feed(), timeout_seconds=0.5).message


def test_an_answer_that_trickles_ends_in_time(server: ReleaseServer) -> None:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.end_headers()
        while not server.closing.wait(0.05):
            handler.wfile.write(b" ")

    server.answer = answer
    assert "did not answer in time" in failure(server.feed(), timeout_seconds=1).message


def test_a_connection_that_is_cut(server: ReleaseServer) -> None:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.connection.shutdown(socket.SHUT_RDWR)

    server.answer = answer
    assert "was cut" in failure(server.feed()).message


def test_offline() -> None:
    with kept_port() as port:
        error = failure(ReleaseFeed(f"http://127.0.0.1:{port}/", REPOSITORY))
    assert "cannot be reached" in error.message
    assert "network" in error.hint


@pytest.mark.parametrize("name", ["HTTP_PROXY", "http_proxy", "ALL_PROXY"])
def test_a_proxy_of_the_environment_is_used(server: ReleaseServer, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(name, server.url)
    server.answer = listing(release("v0.2.0"))
    feed = ReleaseFeed("http://releases.test/list", REPOSITORY)
    assert [entry.tag for entry in fetch(feed)] == ["v0.2.0"]
    assert server.requests[0][:2] == ("GET", "http://releases.test/list")


def test_a_host_without_proxy(server: ReleaseServer, monkeypatch: pytest.MonkeyPatch) -> None:
    with kept_port() as port:
        monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{port}")
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        assert fetch(server.feed()) == []


@pytest.mark.parametrize(("status", "message"), [(407, "user name and password"), (503, "did not connect to")])
def test_a_proxy_that_refuses(
    server: ReleaseServer, monkeypatch: pytest.MonkeyPatch, status: int, message: str
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", server.url)
    server.answer = reply(status)
    assert message in failure(ReleaseFeed("https://releases.test/list", REPOSITORY)).message
    assert server.requests[0][:2] == ("CONNECT", "releases.test:443")


@pytest.mark.parametrize(
    ("name", "value"),
    [("ALL_PROXY", "socks://127.0.0.1:1"), ("HTTPS_PROXY", "nonsense://x"), ("HTTP_PROXY", "http://[::bad")],
)
def test_a_proxy_that_cannot_be_used(
    server: ReleaseServer, monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    error = failure(server.feed())
    assert "cannot be used" in error.message
    assert "HTTPS_PROXY" in error.hint


def self_signed(pem: Path) -> Path:
    """Write a key and a certificate for it that nobody else has signed."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    encoding, plain = serialization.Encoding.PEM, serialization.NoEncryption()
    private = key.private_bytes(encoding, serialization.PrivateFormat.PKCS8, plain)
    pem.write_bytes(private + certificate.public_bytes(encoding))
    return pem


@pytest.fixture
def impostor(tmp_path: Path) -> Iterator[ReleaseFeed]:
    """The feed of a server whose certificate nobody has signed."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(self_signed(tmp_path / "server.pem"))
    server = ReleaseServer()
    with server.running(context):
        yield ReleaseFeed(f"https://127.0.0.1:{server.port}/", REPOSITORY)


@pytest.mark.skipif(sys.platform != "linux", reason="cryptography comes with the keyring of Linux alone")
def test_a_server_that_cannot_prove_its_name(impostor: ReleaseFeed) -> None:
    error = failure(impostor)
    assert "certificate" in error.message
    assert "SSL_CERT_FILE" in error.hint


def test_cancelling_ends_the_request(server: ReleaseServer) -> None:
    left = threading.Event()

    def answer(handler: BaseHTTPRequestHandler) -> None:
        if handler.connection.recv(1) == b"":  # the client closes
            left.set()

    async def cancel() -> None:
        task: asyncio.Task[Any] = asyncio.create_task(fetch_releases(server.feed()))
        await until(lambda: server.requests)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await until(left.is_set)

    server.answer = answer
    asyncio.run(cancel())
