"""What the command line's options mean for the settings."""

import argparse
from typing import Any


def overrides(namespace: argparse.Namespace) -> dict[str, Any]:
    """The settings that the arguments give; None where they give none."""
    names = ("host", "port", "data_dir", "config_dir", "claude_path", "log_level")
    given: dict[str, Any] = {name: getattr(namespace, name, None) for name in names}
    if getattr(namespace, "no_auth", False):
        given["api_key_required"] = False
    return given
