"""What every subcommand needs of the command line: its name, and what its options mean for the settings."""

import argparse
from typing import Any

COMMAND = "dragoman"
COMMAND_LINE = "command line"
"""How settings name the arguments as the source of a value."""


def overrides(namespace: argparse.Namespace) -> dict[str, Any]:
    """The settings that the arguments give; None where they give none."""
    names = ("host", "port", "data_dir", "config_dir", "claude_path", "log_level")
    given: dict[str, Any] = {name: getattr(namespace, name, None) for name in names}
    if getattr(namespace, "no_auth", False):
        given["api_key_required"] = False
    return given
