"""Selection of the user's Claude Code settings."""

import orjson
import pytest

from server.backends.claude_cli.transport.user_settings import (
    UserSettings,
    config_directory,
    parse_user_settings,
    read_user_settings,
)


def test_what_says_the_account_and_no_more():
    helper = {"apiKeyHelper": "/bin/key", "awsAuthRefresh": "aws sso login"}
    more = {
        "outputStyle": "pirate",
        "language": "French",
        "hooks": {},
        "agent": "x",
        "apiKeyHelperX": 1,
        "model": "opus",
    }
    found = parse_user_settings({**helper, **more, "env": {"A": "b", "C": 1, "D": True, "E": None, "F": {}}})
    assert found.account == helper
    assert found.environment == {"A": "b", "C": "1", "D": "true"}


@pytest.mark.parametrize("settings", [None, [], "x", {}, {"env": None}, {"env": []}, {"apiKeyHelper": None}], ids=str)
def test_settings_without_an_account(settings):
    assert parse_user_settings(settings) == UserSettings()


def test_the_file(made_home):
    folder = made_home / ".claude"
    assert read_user_settings({"HOME": str(made_home)}) == UserSettings()
    (folder / "settings.json").write_bytes(orjson.dumps({"apiKeyHelper": "x"}))
    assert read_user_settings({"HOME": str(made_home)}).account == {"apiKeyHelper": "x"}
    assert read_user_settings({"HOME": "/nowhere", "CLAUDE_CONFIG_DIR": str(folder)}).account == {"apiKeyHelper": "x"}


@pytest.mark.parametrize("content", [b"{", b"\xff", b""])
def test_a_file_that_is_not_valid_is_told_in_the_log(made_home, caplog, content):
    file = config_directory({"HOME": str(made_home)}) / "settings.json"
    file.write_bytes(content)
    assert read_user_settings({"HOME": str(made_home)}) == UserSettings()
    assert str(file) in caplog.text
