"""Locating `claude`, with real files in a temporary home."""

import os
import sys
import tempfile
from itertools import pairwise
from pathlib import Path

import pytest

from server.backends.claude_cli.transport.locate import find_bundled, locate_cli
from server.core.errors import CliNotFound
from tests.systems import INERT, posix_only

NAME = "claude.exe" if sys.platform == "win32" else "claude"


def install(folder, name=NAME, mode=0o755):
    """Create a program in `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_text(INERT)
    path.chmod(mode)
    return path


@pytest.fixture
def on_path(tmp_path, monkeypatch):
    """A folder that is the whole PATH."""
    folder = tmp_path / "bin"
    monkeypatch.setenv("PATH", str(folder))
    return folder


def test_what_was_set_goes_before_everything(tmp_path, on_path):
    install(on_path)
    chosen = install(tmp_path / "own", "my-claude")
    assert locate_cli(chosen) == chosen


def test_a_home_may_be_written_short(made_home, on_path):
    chosen = install(made_home / "tools")
    assert locate_cli(type(chosen)("~/tools") / NAME) == chosen


def test_path_then_the_places_where_installers_put_it(made_home, on_path):
    places = [on_path, made_home / ".local" / "bin", made_home / ".claude" / "local"]
    for place in reversed(places):
        found = install(place)
        assert locate_cli() == found
    for place, following in pairwise(places):
        (place / NAME).unlink()
        assert locate_cli() == following / NAME


def test_the_bundled_one(cli_path):
    assert list(find_bundled(NAME)) == [cli_path]


def test_without_the_package_there_is_no_bundled_one(monkeypatch):
    monkeypatch.setitem(sys.modules, "claude_agent_sdk", None)
    assert list(find_bundled()) == []


@pytest.mark.parametrize("mode", [0o644, 0o000])
def test_what_may_not_be_run_is_passed_over(made_home, on_path, mode):
    install(on_path, mode=mode)
    good = install(made_home / ".local" / "bin")
    assert locate_cli() == good


def test_a_folder_of_that_name_is_passed_over(made_home, on_path):
    (made_home / ".local" / "bin" / NAME).mkdir(parents=True)
    good = install(made_home / ".claude" / "local")
    assert locate_cli() == good


@pytest.mark.parametrize("name", ["claude.cmd", "claude.bat", "CLAUDE.CMD"])
def test_a_batch_file_is_refused(tmp_path, name):
    with pytest.raises(CliNotFound, match="batch file") as caught:
        locate_cli(install(tmp_path, name))
    assert "claude.exe" in caught.value.hint


def test_a_place_without_a_program(tmp_path):
    with pytest.raises(CliNotFound, match="no Claude Code at") as caught:
        locate_cli(tmp_path / "nowhere")
    assert "claude_path" in caught.value.hint
    with pytest.raises(CliNotFound, match="is a folder"):
        locate_cli(tmp_path)


def test_a_program_that_may_not_be_run(tmp_path):
    path = install(tmp_path, mode=0o644)
    assert not os.access(path, os.X_OK)
    with pytest.raises(CliNotFound, match="is not executable") as caught:
        locate_cli(path)
    assert str(path) in caught.value.message


@pytest.fixture
def closed_folder():
    """An inaccessible folder with a program, below folders that everyone may enter."""
    with tempfile.TemporaryDirectory() as folder:
        path = install(Path(folder) / "closed")
        Path(folder).chmod(0o711)
        path.parent.chmod(0o000)
        yield path
        path.parent.chmod(0o700)


@posix_only("Windows has no file modes")
def test_a_folder_that_may_not_be_entered(closed_folder, nobody):
    with pytest.raises(CliNotFound, match="Permission denied") as caught:
        locate_cli(closed_folder)
    assert "claude_path" in caught.value.hint


@pytest.mark.parametrize("path", ["a" * 300, "a\0b", "~nobody-of-that-name/claude"])
def test_a_path_that_cannot_be(tmp_path, path):
    with pytest.raises(CliNotFound):
        locate_cli(Path(path) if path.startswith("~") else tmp_path / path)


@posix_only("Windows has no file modes")
def test_a_place_of_installers_that_may_not_be_entered_is_passed_over(closed_folder, made_home, monkeypatch, nobody):
    monkeypatch.setenv("PATH", str(closed_folder.parent))
    monkeypatch.setenv("HOME", str(closed_folder.parent))
    assert locate_cli().name == NAME
