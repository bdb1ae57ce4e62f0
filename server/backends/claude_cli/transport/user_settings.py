"""Reads the user's Claude Code settings that select the account.

The CLI does not read them itself, because others change conversations (output style, language, agent, hooks, plugins,
any variable in `env`). Names: https://code.claude.com/docs/en/settings.
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

log = logging.getLogger(__name__)

ACCOUNT_SETTINGS = (
    "apiKeyHelper",
    "awsAuthRefresh",
    "awsCredentialExport",
    "gcpAuthRefresh",
    "proxyAuthHelper",
    "forceLoginMethod",
    "forceLoginOrgUUID",
    "modelOverrides",
)


@dataclass(frozen=True, slots=True)
class UserSettings:
    """The values of `ACCOUNT_SETTINGS`, and the unfiltered variables of `env`."""

    account: Mapping[str, Any] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)


def config_directory(outer: Mapping[str, str]) -> Path:
    """Claude Code's configuration directory: CLAUDE_CONFIG_DIR or `~/.claude`."""
    if directory := outer.get("CLAUDE_CONFIG_DIR"):
        return Path(directory)
    home = outer.get("HOME") or outer.get("USERPROFILE")
    return (Path(home) if home else Path.home()) / ".claude"


def read_user_settings(outer: Mapping[str, str]) -> UserSettings:
    """Read `settings.json`. A missing file, or an invalid one, counts as empty."""
    file = config_directory(outer) / "settings.json"
    try:
        settings = orjson.loads(file.read_bytes())
    except FileNotFoundError:
        return UserSettings()
    except (OSError, ValueError) as error:
        log.warning("Claude Code's settings in %s cannot be read: %s", file, error)
        return UserSettings()
    return parse_user_settings(settings)


def parse_user_settings(settings: Any) -> UserSettings:
    """Extract the account's part of the settings. Values of a wrong type are ignored."""
    if not isinstance(settings, dict):
        return UserSettings()
    variables = settings.get("env")
    pairs = variables.items() if isinstance(variables, dict) else ()
    return UserSettings(
        account={name: settings[name] for name in ACCOUNT_SETTINGS if settings.get(name) is not None},
        environment={name: _format_value(value) for name, value in pairs if isinstance(value, str | int | float)},
    )


def _format_value(value: str | float) -> str:
    """Format a variable's value; numbers and booleans as the CLI writes them."""
    return value if isinstance(value, str) else orjson.dumps(value).decode()
