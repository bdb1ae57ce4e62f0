"""Options of the command line: the settings that they set."""

import pytest

from server.cli.arguments import parse_arguments
from server.config.arguments import settings_overrides


def test_every_option_becomes_its_setting() -> None:
    address = ["--host", "::1", "--port", "1", "--claude-path", "p", "--no-auth"]
    _, namespace = parse_arguments(["serve", *address, "--data-dir", "d", "--config-dir", "c", "--log-level", "debug"])
    assert settings_overrides(namespace) == {
        "host": "::1",
        "port": "1",
        "data_dir": "d",
        "config_dir": "c",
        "claude_path": "p",
        "log_level": "debug",
        "api_key_required": False,
    }


@pytest.mark.parametrize("subcommand", ["serve", "key", "doctor", "quit"])
def test_what_is_not_given_is_left_to_other_sources(subcommand: str) -> None:
    _, namespace = parse_arguments([subcommand])
    assert set(settings_overrides(namespace).values()) == {None}
