"""Settings: their sources, their validation, and edits of the settings file."""

import os
import stat
import sys
from pathlib import Path
from typing import Any

import pytest

from server.config.settings import Settings, fixed_settings, load_settings, write_settings
from server.core.errors import SettingsInvalid
from tests.systems import posix_only


@pytest.fixture(autouse=True)
def config_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty configuration directory."""
    monkeypatch.setenv("DRAGOMAN_CONFIG_DIR", str(tmp_path / "config"))
    monkeypatch.setenv("DRAGOMAN_DATA_DIR", str(tmp_path / "data"))
    (tmp_path / "config").mkdir()
    return tmp_path / "config"


def write(config_dir: Path, text: str) -> Path:
    path = config_dir / "settings.toml"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("in_file", "in_environment", "on_command_line", "expected"),
    [
        (None, None, None, 8000),
        (1001, None, None, 1001),
        (None, "1002", None, 1002),
        (1001, "1002", None, 1002),
        (1001, None, 1003, 1003),
        (1001, "1002", 1003, 1003),
        (1001, "", None, 1001),
        (None, None, 0, 0),
    ],
)
def test_the_stronger_source_wins(
    config_dir: Path,
    monkeypatch: pytest.MonkeyPatch,
    in_file: int | None,
    in_environment: str | None,
    on_command_line: int | None,
    expected: int,
) -> None:
    if in_file is not None:
        write(config_dir, f"port = {in_file}")
    if in_environment is not None:
        monkeypatch.setenv("DRAGOMAN_PORT", in_environment)
    assert load_settings({"port": on_command_line}).port == expected


def test_who_fixes_a_setting_is_said(config_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(config_dir, "port = 1001\nspares = 3\nidle_seconds = 5")
    monkeypatch.setenv("DRAGOMAN_PORT", "1002")
    monkeypatch.setenv("dragoman_spares", "2")
    monkeypatch.setenv("DRAGOMAN_HOST", "")
    fixed = fixed_settings({"port": 1003, "host": None, "api_key_required": False})
    assert fixed == {
        "port": "command line",
        "api_key_required": "command line",
        "spares": "DRAGOMAN_SPARES",
        "config_dir": "DRAGOMAN_CONFIG_DIR",
        "data_dir": "DRAGOMAN_DATA_DIR",
    }
    assert fixed_settings()["port"] == "DRAGOMAN_PORT"


@pytest.mark.parametrize(
    ("name", "in_file", "in_environment", "expected"),
    [
        ("allowed_hosts", '["a.example", "b"]', "a.example, b", ("a.example", "b")),
        ("allowed_origins", "[]", ",", ()),
        ("aliases", '{"gpt-5" = "opus", x = "y"}', "gpt-5=opus, x = y", {"gpt-5": "opus", "x": "y"}),
        (
            "aliases",
            '{smart = "opus:high > api:haiku"}',
            "smart=opus:high > api:haiku",
            {"smart": "opus:high > api:haiku"},
        ),
        ("default_model", '"opus > haiku"', "opus > haiku", "opus > haiku"),
        ("session_ttl_hours", '"never"', "never", None),
        ("session_ttl_hours", "0.5", "0.5", 0.5),
        ("api_key_required", "false", "false", False),
        ("log_level", '"WARNING"', "WARNING", "warning"),
        ("rate_limit", '"10/second;100/hour"', "10/second;100/hour", "10/second;100/hour"),
        (
            "anthropic_base_url",
            '"https://gate.example/claude/"',
            "https://gate.example/claude",
            "https://gate.example/claude",
        ),
        ("anthropic_base_url", '"http://[::1]:8080"', "http://[::1]:8080/", "http://[::1]:8080"),
        ("fallback_on_plan_limit", "true", "1", True),
        ("claude_path", '"/opt/claude"', "/opt/claude", Path("/opt/claude").absolute()),
    ],
)
def test_file_and_environment_write_the_same_values(
    config_dir: Path,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    in_file: str,
    in_environment: str,
    expected: Any,
) -> None:
    path = write(config_dir, f"{name} = {in_file}")
    assert getattr(load_settings(), name) == expected
    path.unlink()
    monkeypatch.setenv(f"DRAGOMAN_{name.upper()}", in_environment)
    assert getattr(load_settings(), name) == expected


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("port", -1), ("port", 65536), ("port", "many"), ("host", ""), ("spares", 9), ("spares", -1),
        ("max_conversations", 0), ("max_conversations", 65), ("session_ttl_hours", 0),
        ("session_ttl_hours", "soon"), ("session_ttl_hours", "inf"), ("rate_limit", "lots"),
        ("rate_limit", "0"), ("key_storage", "paper"),
        ("log_level", "loud"), ("aliases", "gpt-5"), ("aliases", "=opus"),
        ("default_model", "opus > > haiku"), ("max_body_bytes", 0),
        ("anthropic_base_url", "api.anthropic.com"),
        ("anthropic_base_url", "http://api.anthropic.com"), ("anthropic_base_url", "https://me@api.anthropic.com"),
        ("anthropic_base_url", "https://api.anthropic.com/?a=b"), ("anthropic_base_url", "https://"),
        ("anthropic_base_url", "https://localhost:port"), ("anthropic_base_url", "http://localhost.evil.example"),
        ("idle_seconds", 0), ("queue_seconds", "nan"), ("api_key_required", "perhaps"), ("max_memory_mb", 1),
    ],
)  # fmt: skip
def test_a_wrong_value_is_refused_with_its_name_and_source(
    config_dir: Path, monkeypatch: pytest.MonkeyPatch, name: str, value: Any
) -> None:
    with pytest.raises(SettingsInvalid) as on_command_line:
        load_settings({name: value})
    assert (on_command_line.value.name, on_command_line.value.source) == (name, "command line")

    path = write(config_dir, f"{name} = {value!r}")
    with pytest.raises(SettingsInvalid) as in_file:
        load_settings()
    assert (in_file.value.name, in_file.value.source) == (name, str(path))
    assert str(path) in str(in_file.value)
    assert repr(value) in str(in_file.value)

    if value == "":
        return
    path.unlink()
    monkeypatch.setenv(f"DRAGOMAN_{name.upper()}", str(value))
    with pytest.raises(SettingsInvalid) as in_environment:
        load_settings()
    assert in_environment.value.source == f"DRAGOMAN_{name.upper()}"


def test_keys_of_a_newer_version_are_passed_over_and_named(config_dir: Path) -> None:
    write(config_dir, 'port = 9\nshiny = true\nconfig_dir = "/elsewhere"\n[colours]\nred = 1\n')
    settings = load_settings()
    assert settings.port == 9
    assert settings.config_dir == config_dir
    assert settings.unknown_keys == ("colours", "config_dir", "shiny")


def test_an_override_that_is_no_setting_is_refused() -> None:
    with pytest.raises(SettingsInvalid, match="prot"):
        load_settings({"prot": 1})


def test_settings_cannot_be_changed() -> None:
    with pytest.raises(ValueError, match="frozen"):
        load_settings().port = 1  # type: ignore[misc]


def test_the_settings_class_itself_looks_nowhere(config_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(config_dir, "port = 9")
    monkeypatch.setenv("DRAGOMAN_PORT", "10")
    assert Settings().port == 8000


def test_directories_become_absolute(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    settings = load_settings({"data_dir": "~/data", "config_dir": "here"})
    assert (settings.data_dir, settings.config_dir) == (tmp_path / "data", tmp_path / "here")


FILE = """\
# my settings
port = 9000  # the old one

# a newer version's
shiny = true

[aliases]
# for the editor
"gpt-5" = "opus"
"""


def test_a_change_keeps_everything_else(config_dir: Path) -> None:
    path = write(config_dir, FILE)
    write_settings(config_dir, {"port": 9001})
    assert path.read_text() == FILE.replace("9000", "9001")


def test_a_new_setting_stays_out_of_the_tables(config_dir: Path) -> None:
    write(config_dir, FILE)
    write_settings(config_dir, {"spares": 2, "history": False})
    settings = load_settings()
    assert (settings.spares, settings.history, settings.aliases) == (2, False, {"gpt-5": "opus"})


@pytest.mark.parametrize(
    ("aliases", "wrong"), [({"smart": "opus >"}, "'opus >'"), ({"fine": "opus", "a > b": "opus"}, "'a > b'")]
)
def test_a_wrong_chain_among_the_aliases_is_named(aliases: dict[str, str], wrong: str) -> None:
    with pytest.raises(SettingsInvalid, match="aliases") as raised:
        load_settings({"aliases": aliases})
    assert wrong in str(raised.value)


@pytest.mark.parametrize(
    "changes",
    [
        {"port": 1, "host": "::1"},
        {"allowed_hosts": ("a", "b")},
        {"allowed_hosts": []},
        {"aliases": {"gpt-5.1": "opus", "ü ö": 'quo"ted'}},
        {"session_ttl_hours": None},
        {"session_ttl_hours": 2.5},
        {"claude_path": Path("/opt/claude").absolute()},
        {"rate_limit": ""},
    ],
)
def test_what_is_written_is_read_again(config_dir: Path, changes: dict[str, Any]) -> None:
    write_settings(config_dir, changes)
    assert load_settings().model_dump(include=set(changes)) == Settings(**changes).model_dump(include=set(changes))


def test_none_takes_a_setting_out(config_dir: Path) -> None:
    path = write(config_dir, 'port = 9000\nclaude_path = "/opt/claude"\n')
    write_settings(config_dir, {"claude_path": None, "spares": None})
    assert path.read_text() == "port = 9000\n"


@pytest.mark.parametrize("broken", ["port = = 1", "port", "a = 1\na = 2", "[x", "port = 1\x00"])
def test_a_broken_file_is_refused_and_left_alone(config_dir: Path, broken: str) -> None:
    path = write(config_dir, broken)
    with pytest.raises(SettingsInvalid, match="not valid TOML") as reading:
        load_settings()
    assert reading.value.source == str(path)
    with pytest.raises(SettingsInvalid, match="not valid TOML"):
        write_settings(config_dir, {"port": 1})
    assert path.read_text() == broken


def test_a_file_that_is_no_text_is_refused(config_dir: Path) -> None:
    (config_dir / "settings.toml").write_bytes(b"host = '\xff'")
    with pytest.raises(SettingsInvalid, match="not UTF-8"):
        load_settings()


def test_a_directory_in_its_place_is_refused(config_dir: Path) -> None:
    (config_dir / "settings.toml").mkdir()
    with pytest.raises(SettingsInvalid, match="cannot be read"):
        load_settings()


@pytest.mark.parametrize("changes", [{"port": 70000}, {"prot": 1}, {"prot": None}, {"spares": 1, "host": ""}])
def test_a_wrong_change_is_refused_and_writes_nothing(config_dir: Path, changes: dict[str, Any]) -> None:
    path = write(config_dir, FILE)
    with pytest.raises(SettingsInvalid):
        write_settings(config_dir, changes)
    assert path.read_text() == FILE


def test_one_wrong_value_does_not_keep_others_from_being_mended(config_dir: Path) -> None:
    write(config_dir, "port = 70000\nspares = 99\n")
    write_settings(config_dir, {"port": 7000})
    write_settings(config_dir, {"spares": 2})
    assert load_settings().port == 7000


def test_no_reader_ever_sees_half_a_file(config_dir: Path) -> None:
    path = write(config_dir, FILE)
    with path.open() as reader:
        write_settings(config_dir, {"port": 9001})
        assert reader.read() == FILE
    assert os.listdir(config_dir) == ["settings.toml"]


@posix_only("Windows has no file modes")
def test_the_file_is_the_users_alone(config_dir: Path) -> None:
    path = write(config_dir, FILE)
    path.chmod(0o644)
    write_settings(config_dir, {"port": 1})
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@posix_only("limits of resources")
@pytest.mark.skipif(sys.platform != "linux", reason="/dev/full is Linux's")
def test_a_full_disk_leaves_the_file_as_it_was(config_dir: Path) -> None:
    """A limit on the file size simulates a full disk: the write fails at the same point."""
    import resource
    import signal

    path = write(config_dir, FILE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, hard))
    try:
        with pytest.raises(SettingsInvalid, match="cannot be written"):
            write_settings(config_dir, {"allowed_hosts": [f"host-{number}" for number in range(100)]})
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, handler)
    assert path.read_text() == FILE
    assert os.listdir(config_dir) == ["settings.toml"]


@posix_only("links need rights on Windows")
def test_a_link_to_the_file_stays_a_link(config_dir: Path, tmp_path: Path) -> None:
    target = tmp_path / "dotfiles.toml"
    target.write_text(FILE)
    (config_dir / "settings.toml").symlink_to(target)
    write_settings(config_dir, {"port": 9001})
    assert (config_dir / "settings.toml").is_symlink()
    assert target.read_text() == FILE.replace("9000", "9001")


def test_a_home_folder_that_nobody_has(config_dir: Path) -> None:
    with pytest.raises(SettingsInvalid, match="home folder") as caught:
        load_settings({"claude_path": "~nobody-of-that-name/claude"})
    assert caught.value.name == "claude_path"
