"""Refuses an upstream address that is this server's own."""

import contextlib
from urllib.parse import urlsplit

from server.config.settings import Settings
from server.core.errors import SettingsInvalid

LOOPBACK = ("127.", "localhost", "::1")


def refuse_itself(settings: Settings, upstream: str) -> None:
    """Raise SettingsInvalid if Claude Code, which reads `ANTHROPIC_BASE_URL`, would ask the server that it works for.

    Users set that variable for their clients, in the same terminal.
    """
    with contextlib.suppress(ValueError):  # the CLI itself says what is wrong with such an address
        address = urlsplit(upstream)
        if address.port == settings.port and (address.hostname or "").startswith(LOOPBACK):
            raise SettingsInvalid(
                f"ANTHROPIC_BASE_URL is {upstream}, so Claude Code would send its requests to this server.",
                source="ANTHROPIC_BASE_URL",
                hint="Unset it before you start the server; it is meant for clients.",
            )
