"""Rejection of an ANTHROPIC_BASE_URL that is this server's own address."""

import contextlib
import os
from collections.abc import Mapping
from urllib.parse import urlsplit

from server.config.addresses import is_this_computer
from server.config.settings import Settings
from server.core.errors import SettingsInvalid

VARIABLE = "ANTHROPIC_BASE_URL"


def refuse_own_address(settings: Settings, environment: Mapping[str, str] = os.environ) -> None:
    """Raise SettingsInvalid if Claude Code, which reads `ANTHROPIC_BASE_URL`, would send requests to this server.

    Users set that variable for their clients, in the same terminal.
    """
    if is_own_address(settings.port, environment):
        raise SettingsInvalid(
            f"ANTHROPIC_BASE_URL is {environment[VARIABLE]}, so Claude Code would send its requests to this server.",
            source=VARIABLE,
            hint="Unset it before you start the server; it is meant for clients.",
        )


def is_own_address(port: int, environment: Mapping[str, str] = os.environ) -> bool:
    """Whether `ANTHROPIC_BASE_URL` leads to this port of this computer."""
    with contextlib.suppress(ValueError):  # the CLI reports an invalid address itself
        address = urlsplit(environment.get(VARIABLE, ""))
        return address.port == port and is_this_computer(address.hostname or "")
    return False
