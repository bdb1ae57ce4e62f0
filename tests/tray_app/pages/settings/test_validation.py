"""Wrong values, in words: the rules are the server's."""

from pathlib import Path
from typing import Any

import pytest

from server.config.settings import Settings
from tray_app.pages.settings.validation import as_setting, problem_with


@pytest.mark.parametrize(
    ("name", "typed", "words"),
    [
        ("port", "eight", "Enter a whole number."),
        ("port", "80.5", "Enter a whole number."),
        ("port", "99999", "This has to be 65535 or less."),
        ("port", "-1", "This has to be 0 or more."),
        ("spares", "9", "This has to be 8 or less."),
        ("idle_seconds", "soon", "Enter a number."),
        ("idle_seconds", "inf", "Enter a number."),
        ("idle_seconds", "0", "Enter more than 0."),
        ("default_model", "", "Enter a value."),
        ("rate_limit", "many", "Must be written as 120/minute, or be empty for no limit."),
        ("anthropic_base_url", "http://far.example", "Must begin with https://, because the API key is sent there."),
        ("log_level", "loud", "This should be 'debug', 'info', 'warning' or 'error'."),
    ],
)
def test_what_is_wrong_is_said_in_words(name: str, typed: str, words: str) -> None:
    assert problem_with(name, typed) == words


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
def test_what_is_right_is_read_as_the_server_has_it(name: str, typed: str, value: Any) -> None:
    assert problem_with(name, typed) == ""
    assert as_setting(name, typed) == value


def test_every_setting_takes_its_own_default() -> None:
    defaults = Settings()
    assert [name for name in Settings.model_fields if problem_with(name, getattr(defaults, name))] == []
