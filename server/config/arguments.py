"""Command-line options that `serve` and the desktop application share, and the settings that they set."""

import argparse
from typing import Any

SUBCOMMANDS = ("serve", "key", "doctor", "quit")


def add_directory_options(parser: argparse.ArgumentParser) -> None:
    """Add --data-dir and --config-dir."""
    parser.add_argument("--data-dir", metavar="DIR", help="folder for the database, logs and secrets")
    parser.add_argument("--config-dir", metavar="DIR", help="folder for settings.toml")


def add_server_options(parser: argparse.ArgumentParser) -> None:
    """Add --host, --port and --claude-path."""
    parser.add_argument("--host", help="address to listen on (127.0.0.1: this computer only)")
    parser.add_argument("--port", help="port to listen on (8000); 0 picks any free port")
    parser.add_argument(
        "--claude-path", metavar="FILE", help="path of the claude program, if it is not found automatically"
    )


def add_log_level_option(parser: argparse.ArgumentParser) -> None:
    """Add --log-level."""
    parser.add_argument("--log-level", metavar="LEVEL", help="debug, info, warning or error")


def settings_overrides(namespace: argparse.Namespace) -> dict[str, Any]:
    """The settings that the arguments set, as `load_settings` takes them; None for options that are not given."""
    names = ("host", "port", "data_dir", "config_dir", "claude_path", "log_level")
    given: dict[str, Any] = {name: getattr(namespace, name, None) for name in names}
    if getattr(namespace, "no_auth", False):
        given["api_key_required"] = False
    return given
