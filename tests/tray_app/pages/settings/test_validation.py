"""Messages for invalid values, by the server's own rules."""

from pathlib import Path
from typing import Any

import pytest

from server.config.settings import Settings
from tray_app.pages.settings.validation import parse_setting, setting_problem


@pytest.mark.parametrize(
    ("name", "typed", "words"),
    [
        ("port", "eight", "Enter a whole number."),
        ("port", "80.5", "Enter a whole number."),
        ("port", "99999", "Enter 65535 or less."),
        ("port", "-1", "Enter 0 or more."),
        ("spares", "9", "Enter 8 or less."),
        ("idle_seconds", "soon", "Enter a number."),
        ("idle_seconds", "inf", "Enter a number."),
        ("idle_seconds", "0", "Enter more than 0."),
        ("default_model", "", "Enter a value."),
        ("rate_limit", "many", "Must be written as 120/minute, or be empty for no limit."),
        ("anthropic_base_url", "http://far.example", "Must begin with https://, because the API key is sent there."),
        ("log_level", "loud", "Must be 'debug', 'info', 'warning' or 'error'."),
    ],
)
def test_invalid_input_gets_a_message(name: str, typed: str, words: str) -> None:
    assert setting_problem(name, typed) == words


@pytest.mark.parametrize(
    ("name", "typed", "value"),
    [
        ("port", "8001", 8001),
        ("session_ttl_hours", "never", None),
        ("session_ttl_hours", "1.5", 1.5),
        ("claude_path", "", None),
        ("claude_path", "/opt/claude", Path("/opt/claude").absolute()),
        ("allowed_hosts", "a.example, b.example", ("a.example", "b.example")),
        ("allowed_hosts", "", ()),
        ("rate_limit", "", ""),
    ],
)
def test_valid_input_is_converted_as_by_the_server(name: str, typed: str, value: Any) -> None:
    assert setting_problem(name, typed) == ""
    assert parse_setting(name, typed) == value


def test_every_setting_takes_its_own_default() -> None:
    defaults = Settings()
    assert [name for name in Settings.model_fields if setting_problem(name, getattr(defaults, name))] == []
