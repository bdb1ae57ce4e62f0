"""Loopback and wildcard addresses, as settings and URLs name them."""

import pytest

from server.config.addresses import is_this_computer, reachable_host


@pytest.mark.parametrize("host", ["127.0.0.1", "127.9.9.9", "::1", "localhost", "LocalHost"])
def test_this_computer(host):
    assert is_this_computer(host)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.2", "127.example.com", "localhost.example.com", ""])
def test_the_network(host):
    assert not is_this_computer(host)


@pytest.mark.parametrize(
    ("host", "reached"), [("0.0.0.0", "127.0.0.1"), ("::", "::1"), ("192.168.1.2", "192.168.1.2"), ("pc", "pc")]
)
def test_a_client_on_this_computer_reaches_a_server_at(host, reached):
    assert reachable_host(host) == reached
