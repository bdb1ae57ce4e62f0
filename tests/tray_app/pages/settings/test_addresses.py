"""The choices of listen addresses."""

import ipaddress

from tray_app.pages.settings.addresses import address_choices, own_addresses


def test_own_addresses_are_ones_that_others_could_use() -> None:
    for address, _interface in own_addresses():
        parsed = ipaddress.ip_address(address)
        assert not parsed.is_loopback
        assert not parsed.is_link_local


def test_this_computer_comes_first_and_addresses_are_named_by_their_interface() -> None:
    offered = address_choices([("192.168.1.5", "eth0")])
    assert [value for value, _ in offered] == ["127.0.0.1", "0.0.0.0", "192.168.1.5"]
    assert offered[2][1] == "192.168.1.5 (eth0)"
