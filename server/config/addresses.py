"""Host addresses in settings and URLs."""

import ipaddress

ANY_ADDRESS = frozenset({"0.0.0.0", "::", ""})  # noqa: S104 - compared with, not bound to
_LOOPBACK_OF = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104


def is_this_computer(host: str) -> bool:
    """Whether `host` is a loopback address or name, which only this computer can reach."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def reachable_host(host: str) -> str:
    """The host name for clients on this computer of a server that listens on `host`."""
    return _LOOPBACK_OF.get(host, host)
