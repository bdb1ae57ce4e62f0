"""Ports for servers under test."""

import socket
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager


@contextmanager
def kept_port(port: int = 0) -> Iterator[int]:
    """Reserve a port of 127.0.0.1, any or the given one, for the server under test.

    One that is merely free may be somebody else's a moment later. This one is bound here: the system gives it to nobody
    who asks for any, and Linux to those who ask for it by number, as servers do, with SO_REUSEADDR.
    """
    with socket.socket() as sock:
        if sys.platform == "linux":
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind(("127.0.0.1", port))
        kept = int(sock.getsockname()[1])
        if sys.platform != "linux":
            sock.close()  # elsewhere the server could not have it
        yield kept


@contextmanager
def taken_port() -> Iterator[int]:
    """A port of 127.0.0.1 that this test listens on; the one after it is kept, to be had instead."""
    for _ in range(50):
        with socket.create_server(("127.0.0.1", 0)) as sock, ExitStack() as stack:
            port = int(sock.getsockname()[1])
            try:
                stack.enter_context(kept_port(port + 1))
            except OSError:
                continue
            yield port
            return
    raise OSError("no two ports in a row are free")
