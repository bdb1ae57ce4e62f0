"""A web server with a list of releases, as GitHub's API has it."""

import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import orjson

from tray_app.updates.feed import ReleaseFeed

REPOSITORY = "https://github.com/dragoman/dragoman"
Answer = Callable[[BaseHTTPRequestHandler], None]


def release(tag: str, notes: str = "", **changes: Any) -> dict[str, Any]:
    """An entry of the list, with more fields than are read."""
    return {
        "url": f"https://api.github.com/repos/dragoman/dragoman/releases/{len(tag)}",
        "html_url": f"{REPOSITORY}/releases/tag/{tag}",
        "tag_name": tag,
        "name": f"Dragoman {tag}",
        "draft": False,
        "prerelease": False,
        "published_at": "2026-11-20T12:00:00Z",
        "assets": [],
        "body": notes,
        **changes,
    }


def listing(*releases: dict[str, Any]) -> Answer:
    """Answer with a list of releases."""
    return reply(200, orjson.dumps(list(releases)))


def reply(status: int, body: bytes = b"", headers: dict[str, str] | None = None) -> Answer:
    """Answer with a status, a body and headers."""

    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        for name, value in {"content-length": str(len(body)), **(headers or {})}.items():
            handler.send_header(name, value)
        handler.end_headers()
        handler.wfile.write(body)

    return answer


class ReleaseServer:
    """The server. `answers` by path; every path without one gets `answer`."""

    def __init__(self) -> None:
        self.answer: Answer = listing()
        self.answers: dict[str, Answer] = {}
        self.requests: list[tuple[str, str, dict[str, str]]] = []
        """Method, target and headers (names in lower case) of each request."""
        self.closing = threading.Event()
        """Set at the end: answers that wait end then."""

    def feed(self, path: str = "/repos/dragoman/dragoman/releases?per_page=30") -> ReleaseFeed:
        """The feed of this server."""
        return ReleaseFeed(f"{self.url}{path}", REPOSITORY)

    @property
    def url(self) -> str:
        """The server's own address."""
        return f"http://127.0.0.1:{self.port}"

    @contextmanager
    def running(self, tls: ssl.SSLContext | None = None) -> Iterator["ReleaseServer"]:
        """Serve until the end of the block, by HTTPS if a context is given."""
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                headers = {name.lower(): value for name, value in self.headers.items()}
                server.requests.append((self.command, self.path, headers))
                server.answers.get(self.path, server.answer)(self)

            do_CONNECT = do_POST = do_HEAD = do_GET

            def log_message(self, *_: Any) -> None:
                pass

        class Server(ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, request: Any, client_address: Any) -> None:
                """Be silent about clients that leave."""

        http = Server(("127.0.0.1", 0), Handler)
        if tls is not None:
            http.socket = tls.wrap_socket(http.socket, server_side=True)
        self.port = http.server_address[1]
        thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield self
        finally:
            self.closing.set()
            http.shutdown()
            thread.join()
            http.server_close()
