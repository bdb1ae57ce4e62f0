"""Folders of installers and version managers, made in a temporary home."""

import os
import sys
import tempfile
from pathlib import Path

import pytest

from server.backends.claude_cli.transport.locate import locate_cli
from server.backends.claude_cli.transport.places import NPM_PROGRAM, find_places
from server.core.errors import CliNotFound
from tests.backends.claude_cli.test_locate import NAME, install
from tests.systems import posix_only

posix = posix_only("the folders of Linux and macOS")

INSTALLED = {
    "official": (".local/bin/claude", {}),
    "predecessor": (".claude/local/claude", {}),
    "npm prefix": (".npm-global/bin/claude", {}),
    "npm variable": ("chosen/bin/claude", {"NPM_CONFIG_PREFIX": "chosen"}),
    "yarn": (".yarn/bin/claude", {}),
    "pnpm": (".local/share/pnpm/claude", {}),
    "pnpm on macOS": ("Library/pnpm/claude", {}),
    "bun": (".bun/bin/claude", {}),
    "bun's variable": ("buns/bin/claude", {"BUN_INSTALL": "buns"}),
    "volta": (".volta/bin/claude", {}),
    "volta's package": (".volta/tools/image/packages/@anthropic-ai/claude-code/bin/claude", {}),
    "mise": (".local/share/mise/installs/node/24.4.1/bin/claude", {}),
    "mise's own": (".local/share/mise/installs/claude/2.1.41/claude", {}),
    "mise from npm": (".local/share/mise/installs/npm-anthropic-ai-claude-code/2.1.9/bin/claude", {}),
    "asdf": (".asdf/installs/nodejs/22.1.0/bin/claude", {}),
    "nvm": (".nvm/versions/node/v22.9.0/bin/claude", {}),
    "nvm by XDG": (".config/nvm/versions/node/v22.9.0/bin/claude", {}),
    "nvm's variable": ("tools/nvm/versions/node/v22.9.0/bin/claude", {"NVM_DIR": "tools/nvm"}),
    "fnm": (".local/share/fnm/node-versions/v20.1.0/installation/bin/claude", {}),
    "fnm on macOS": ("Library/Application Support/fnm/aliases/default/bin/claude", {}),
    "n": ("n/bin/claude", {}),
    "nodenv": (".nodenv/versions/20.0.0/bin/claude", {}),
}


def made(variables, home):
    return {name: str(home / folder) for name, folder in variables.items()}


def first_file(system, environment, home):
    return next((path for path in find_places(system, environment, home) if path.is_file()), None)


def install_at(path):
    return install(path.parent, path.name)


@pytest.mark.parametrize("tool", INSTALLED)
def test_each_installers_folder_is_searched(tmp_path, tool):
    place, variables = INSTALLED[tool]
    program = install_at(tmp_path / place)
    found = [
        path for path in find_places("linux", made(variables, tmp_path), tmp_path) if path.is_relative_to(tmp_path)
    ]
    assert program in found


@posix
@pytest.mark.parametrize("tool", INSTALLED)
def test_a_program_of_a_desktop_finds_it_with_a_short_path(made_home, monkeypatch, tool):
    place, variables = INSTALLED[tool]
    for name, value in made(variables, made_home).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("PATH", str(made_home / "empty"))
    program = install_at(made_home / place)
    assert locate_cli() == program


WINDOWS = {
    "official": ".local/bin/claude.exe",
    "WinGet": "AppData/Local/Microsoft/WinGet/Links/claude.exe",
    "Scoop": "scoop/apps/claude-code/current/claude.exe",
    "bun": ".bun/bin/claude.exe",
    "npm": f"AppData/Roaming/npm/{NPM_PROGRAM}",
    "pnpm": f"AppData/Local/pnpm/global/5/{NPM_PROGRAM}",
    "volta": f"AppData/Local/Volta/tools/image/packages/@anthropic-ai/claude-code/{NPM_PROGRAM}",
    "nvm": f"AppData/Roaming/nvm/v22.9.0/{NPM_PROGRAM}",
    "fnm": f"AppData/Roaming/fnm/node-versions/v20.1.0/installation/{NPM_PROGRAM}",
    "mise": f"AppData/Local/mise/installs/node/24.4.1/{NPM_PROGRAM}",
    "yarn": f"AppData/Local/Yarn/Data/global/{NPM_PROGRAM}",
}


@pytest.mark.parametrize("tool", WINDOWS)
def test_each_folder_of_windows_is_searched(tmp_path, tool):
    program = install_at(tmp_path / WINDOWS[tool])
    variables = made({"APPDATA": "AppData/Roaming", "LOCALAPPDATA": "AppData/Local"}, tmp_path)
    assert first_file("win32", variables, tmp_path) == program


def test_variables_that_are_not_set_name_no_folder(tmp_path):
    assert all(path.is_relative_to(tmp_path) for path in find_places("win32", {}, tmp_path))


def test_the_newest_version_is_first_and_numbers_are_compared(tmp_path):
    versions = tmp_path / ".nvm" / "versions" / "node"
    for version in ("v9.11.2", "v22.9.0", "v22.10.1", "system"):
        install(versions / version / "bin", "claude")
    found = [path.parts[-3] for path in find_places("linux", {}, tmp_path) if path.is_relative_to(versions)]
    assert found == ["v22.10.1", "v22.9.0", "v9.11.2", "system"]


def test_the_official_installer_precedes_version_managers_and_fnms_default_its_versions(tmp_path):
    places = [
        tmp_path / ".local/bin/claude",
        tmp_path / ".nvm/versions/node/v22.9.0/bin/claude",
        tmp_path / ".local/share/fnm/aliases/default/bin/claude",
        tmp_path / ".local/share/fnm/node-versions/v24.0.0/installation/bin/claude",
    ]
    for place in reversed(places):
        install_at(place)
        assert first_file("linux", {}, tmp_path) == place


@pytest.mark.parametrize(
    ("line", "folder"),
    [
        ("prefix=~/npm", "npm"),
        ("prefix = ${HOME}/.tools/npm", ".tools/npm"),
        ('registry=x\nprefix="{home}/quoted"\n', "quoted"),
    ],
)
def test_npms_settings_name_its_folder(tmp_path, line, folder):
    (tmp_path / ".npmrc").write_text(line.replace("{home}", str(tmp_path)))
    program = install(tmp_path / folder / "bin", "claude")
    assert first_file("linux", {}, tmp_path) == program


@pytest.mark.parametrize("text", ["", "prefix=", "; prefix=/nowhere", "[broken", "\xff\xfe"])
def test_npms_settings_without_a_folder_are_no_error(tmp_path, text):
    (tmp_path / ".npmrc").write_text(text, encoding="latin-1")
    assert first_file("linux", {}, tmp_path) is None


@posix
@pytest.mark.parametrize("kind", ["loop", "dead link", "folder", "file instead of a folder", "closed"])
def test_what_leads_to_no_program_is_passed_over(made_home, monkeypatch, kind):
    monkeypatch.setenv("PATH", str(made_home / "bin"))
    place = made_home / ".local" / "bin" / NAME
    place.parent.mkdir(parents=True)
    if kind == "loop":
        place.symlink_to(place)
    elif kind == "dead link":
        place.symlink_to(made_home / "removed")
    elif kind == "folder":
        place.mkdir()
    elif kind == "file instead of a folder":
        (made_home / ".nvm").write_text("")
    else:
        install_at(place).chmod(0)
    good = install(made_home / ".asdf" / "installs" / "nodejs" / "22.1.0" / "bin")
    assert locate_cli() == good


@posix
def test_links_that_form_a_loop_of_folders_end(made_home, monkeypatch):
    monkeypatch.setenv("PATH", str(made_home / "bin"))
    versions = made_home / ".nvm" / "versions" / "node"
    versions.mkdir(parents=True)
    (versions / "v99.0.0").symlink_to(versions)
    good = install(versions / "v22.9.0" / "bin")
    assert locate_cli() == good


@posix
def test_a_manager_whose_folder_is_closed_is_passed_over(nobody, monkeypatch):
    with tempfile.TemporaryDirectory() as name:
        home = Path(name)
        closed = home / ".nvm" / "versions" / "node"
        install(closed / "v22.9.0" / "bin")
        good = install(home / "n" / "bin")
        closed.chmod(0)
        try:
            assert not os.access(closed, os.R_OK, effective_ids=os.access in os.supports_effective_ids)
            assert [path for path in find_places("linux", {}, home) if os.path.lexists(path)] == [good]
        finally:
            closed.chmod(0o700)


@pytest.fixture
def nothing_bundled(monkeypatch):
    monkeypatch.setitem(sys.modules, "claude_agent_sdk", None)


@posix
@pytest.mark.parametrize(
    ("text", "said"),
    [
        (b"#!/usr/bin/env no-such-interpreter\n", "needs no-such-interpreter, which is not on PATH"),
        (b"#!/usr/bin/env -S no-such-interpreter --flag\n", "needs no-such-interpreter"),
        (b"#!/no/such/interpreter\n", "needs /no/such/interpreter"),
        (b'echo "Error: claude native binary not installed." >&2\n', "is not a program"),
        (b"", "is not a program"),
    ],
)
def test_a_file_that_cannot_be_started_is_passed_over_and_named_if_it_is_all(
    made_home, monkeypatch, nothing_bundled, text, said
):
    """A version manager's script without its Node, and what npm leaves where it may not run the package's script."""
    monkeypatch.setenv("PATH", str(made_home / "bin"))
    broken = install(made_home / "bin")
    broken.write_bytes(text)
    if not Path("/usr/bin/claude").exists() and not Path("/usr/local/bin/claude").exists():
        with pytest.raises(CliNotFound, match="No usable Claude Code was found") as caught:
            locate_cli()
        assert said in caught.value.message
        assert "install.sh" in caught.value.hint
    with pytest.raises(CliNotFound, match=said):
        locate_cli(broken)
    good = install(made_home / ".local" / "bin")
    assert locate_cli() == good


@posix
def test_a_later_folder_of_path_is_used_if_the_first_cannot_start(tmp_path, monkeypatch):
    install(tmp_path / "a").write_text("placeholder")
    good = install(tmp_path / "b")
    monkeypatch.setenv("PATH", os.pathsep.join(("", ".", str(tmp_path / "a"), str(tmp_path / "b"))))
    monkeypatch.chdir(tmp_path / "b")  # an entry that means the current directory is no choice of the user
    assert locate_cli() == good
    assert locate_cli().is_absolute()


@posix
def test_a_native_program_is_used_without_reading_a_shebang(made_home, monkeypatch):
    monkeypatch.setenv("PATH", str(made_home / "bin"))
    program = install(made_home / "bin")
    program.write_bytes(Path(sys.executable).read_bytes()[:4096])
    assert locate_cli() == program
