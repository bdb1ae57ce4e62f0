"""The addresses that the server can listen on."""

import ipaddress
import socket

import psutil

from tray_app.translation import tr

THIS_COMPUTER = "127.0.0.1"
ALL = "0.0.0.0"  # noqa: S104 - offered, but not the default


def own_addresses() -> list[tuple[str, str]]:
    """Return this computer's network addresses and interfaces. Takes some ms."""
    found = [
        (entry.address, interface)
        for interface, addresses in psutil.net_if_addrs().items()
        for entry in addresses
        if entry.family in (socket.AF_INET, socket.AF_INET6) and _is_reachable(entry.address)
    ]
    # IPv4 first: users know it better.
    return sorted(found, key=lambda entry: (":" in entry[0], entry[1], entry[0]))


def address_choices(own: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """The choices of the setting, as pairs of value and label."""
    return [
        (THIS_COMPUTER, tr("This computer only")),
        (ALL, tr("All addresses")),
        *((address, f"{address} ({interface})") for address, interface in own),
    ]


def _is_reachable(address: str) -> bool:
    # A link-local address is valid only with its interface, which a client's URL cannot contain.
    parsed = ipaddress.ip_address(address.partition("%")[0])
    return not parsed.is_loopback and not parsed.is_link_local
