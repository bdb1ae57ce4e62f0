"""Listening sockets, and the errors for ports that are not available."""

import errno
import os
import socket

import pytest

from server.core.errors import PortUnavailable, SettingsInvalid
from server.hosting.sockets import as_listen_error, open_listener, url_of
from tests.ports import kept_port


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("127.0.0.1", "http://127.0.0.1:"),
        ("localhost", "http://127.0.0.1:"),
        ("0.0.0.0", "http://127.0.0.1:"),
        ("::1", "http://[::1]:"),
        ("::", "http://[::1]:"),
    ],
)
async def test_the_url_reaches_the_socket(host: str, url: str) -> None:
    sock = await open_listener(host, 0)
    with sock:
        port = sock.getsockname()[1]
        assert url_of(sock) == f"{url}{port}"
        address = url.removeprefix("http://").rstrip(":").strip("[]")
        with socket.create_connection((address, port)):
            pass


async def test_answers_are_not_held_back_and_children_do_not_inherit_the_port() -> None:
    with await open_listener("127.0.0.1", 0) as sock:
        # asyncio sets TCP_NODELAY only if the socket names the protocol TCP.
        assert sock.proto == socket.IPPROTO_TCP
        assert not sock.get_inheritable()
        assert not sock.getblocking()


async def test_a_port_in_use_is_said() -> None:
    with kept_port() as port:
        with await open_listener("127.0.0.1", port), pytest.raises(PortUnavailable) as error:
            await open_listener("127.0.0.1", port)
        (await open_listener("127.0.0.1", port)).close()
    assert (error.value.host, error.value.port, error.value.in_use) == ("127.0.0.1", port, True)
    assert "--port" in error.value.hint


@pytest.mark.parametrize("host", ["127.0.0.1:80", "x" * 70 + ".localhost", "::ffff::1"])
async def test_a_host_that_is_no_address_is_said(host: str, outside_connections: list[str]) -> None:
    with pytest.raises(SettingsInvalid) as error:
        await open_listener(host, 0)
    assert error.value.name == "host"
    outside_connections.clear()


async def test_an_address_of_another_machine_is_said() -> None:
    with pytest.raises(SettingsInvalid, match="not an address of this computer"):
        await open_listener("192.0.2.1", 0)  # https://www.rfc-editor.org/rfc/rfc5737


@pytest.mark.parametrize(
    ("number", "kind", "in_use"),
    [
        (errno.EADDRINUSE, PortUnavailable, True),
        (errno.EACCES, PortUnavailable, False),
        (errno.EPERM, PortUnavailable, False),
        (errno.ENOBUFS, PortUnavailable, False),
        (errno.EADDRNOTAVAIL, SettingsInvalid, None),
        (errno.EAFNOSUPPORT, SettingsInvalid, None),
    ],
)
def test_each_reason_has_its_error(number: int, kind: type, in_use: bool | None) -> None:
    error = as_listen_error(OSError(number, os.strerror(number)), "127.0.0.1", 80)
    assert type(error) is kind
    assert getattr(error, "in_use", None) == in_use
    assert error.hint
