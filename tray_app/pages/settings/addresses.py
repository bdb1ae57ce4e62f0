"""The addresses that the server can listen on."""

import ipaddress
import socket

import psutil

from tray_app.translation import tr

THIS_COMPUTER = "127.0.0.1"
ALL = "0.0.0.0"  # noqa: S104 - offered, never chosen unasked


def own_addresses() -> list[tuple[str, str]]:
    """Addresses of this machine in a network, each with the name of its interface. Takes some milliseconds."""
    found = [
        (entry.address, interface)
        for interface, addresses in psutil.net_if_addrs().items()
        for entry in addresses
        if entry.family in (socket.AF_INET, socket.AF_INET6) and _is_reachable(entry.address)
    ]
    # IPv4 first: that is what people know.
    return sorted(found, key=lambda entry: (":" in entry[0], entry[1], entry[0]))


def address_choices(own: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """What a person chooses from, as pairs of the setting's value and words."""
    return [
        (THIS_COMPUTER, tr("This computer only")),
        (ALL, tr("All addresses")),
        *((address, f"{address} ({interface})") for address, interface in own),
    ]


def _is_reachable(address: str) -> bool:
    # Link-local addresses hold only together with their interface, which no client could write.
    parsed = ipaddress.ip_address(address.partition("%")[0])
    return not parsed.is_loopback and not parsed.is_link_local
