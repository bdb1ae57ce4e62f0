"""The options: what they mean for the settings."""

import pytest

from server.cli.arguments import parse
from server.cli.options import overrides


def test_every_option_becomes_its_setting() -> None:
    address = ["--host", "::1", "--port", "1", "--claude-path", "p", "--no-auth"]
    _, namespace = parse(["serve", *address, "--data-dir", "d", "--config-dir", "c", "--log-level", "debug"])
    assert overrides(namespace) == {
        "host": "::1",
        "port": "1",
        "data_dir": "d",
        "config_dir": "c",
        "claude_path": "p",
        "log_level": "debug",
        "api_key_required": False,
    }


@pytest.mark.parametrize("subcommand", ["serve", "key", "doctor"])
def test_what_is_not_given_is_left_to_other_sources(subcommand: str) -> None:
    _, namespace = parse([subcommand])
    assert set(overrides(namespace).values()) == {None}
