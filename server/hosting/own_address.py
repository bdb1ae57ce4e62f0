"""Rejection of an ANTHROPIC_BASE_URL that is this server's own address."""

import contextlib
import os
from collections.abc import Mapping
from urllib.parse import urlsplit

from server.config.addresses import is_this_computer
from server.config.settings import Settings
from server.core.errors import SettingsInvalid


def refuse_own_address(settings: Settings, environment: Mapping[str, str] = os.environ) -> None:
    """Raise SettingsInvalid if Claude Code, which reads `ANTHROPIC_BASE_URL`, would send requests to this server.

    Users set that variable for their clients, in the same terminal.
    """
    upstream = environment.get("ANTHROPIC_BASE_URL", "")
    with contextlib.suppress(ValueError):  # the CLI reports an invalid address itself
        address = urlsplit(upstream)
        if address.port == settings.port and is_this_computer(address.hostname or ""):
            raise SettingsInvalid(
                f"ANTHROPIC_BASE_URL is {upstream}, so Claude Code would send its requests to this server.",
                source="ANTHROPIC_BASE_URL",
                hint="Unset it before you start the server; it is meant for clients.",
            )
