"""The packages of Windows: version resource, the installer's script and lists of files, what is built by default."""

import re
import shlex
import shutil
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from make import choose_kinds, list_kinds
from project import Project, read_project
from recipe import BuildFailed
from windows import checks, installer, signing, wine
from windows.version_info import version_numbers, version_resource

from server.secrets.system_keyring import APP_NAME
from tray_app.desktop.autostart.command import HIDDEN
from tray_app.desktop.autostart.windows import APPROVED, NAME, RUN, command_line

SCRIPT = installer.SCRIPT.read_text(encoding="utf-8")


@pytest.fixture
def project() -> Project:
    return read_project()


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    """A bundle of four files, one of which has a name that NSIS would take for a variable."""
    folder = tmp_path / "bundle"
    for name in ("dragoman.exe", "dragoman-window.exe", "_internal/Zażółć/$TEMP.txt", "_internal/base.zip"):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name, encoding="utf-8")
    return folder


def macro_of(facts: str, name: str) -> list[str]:
    return facts.partition(f"!macro {name}\n")[2].partition("!macroend")[0].splitlines()


@pytest.mark.parametrize(
    ("version", "numbers"),
    [("0.1.0", (0, 1, 0, 0)), ("12.3", (12, 3, 0, 0)), ("1.2.3rc1", (1, 2, 3, 0)), ("1.2.3.4.5", (1, 2, 3, 4))],
)
def test_a_version_has_four_numbers(version: str, numbers: tuple[int, int, int, int]) -> None:
    assert version_numbers(version) == numbers


def test_the_version_resource_says_what_the_project_says(project: Project) -> None:
    def node(name: str) -> Callable[..., Any]:
        return lambda *arguments, **named: (name, *arguments, named)

    kinds = (
        "VSVersionInfo",
        "FixedFileInfo",
        "StringFileInfo",
        "StringTable",
        "StringStruct",
        "VarFileInfo",
        "VarStruct",
    )
    authors = 'O\'Hara "and" others'
    text = version_resource(replace(project, version="1.2.3", authors=authors), "dragoman-window")
    _, resource = eval(text, {name: node(name) for name in kinds})  # noqa: S307 - as PyInstaller reads it
    assert resource["ffi"][-1] == {"filevers": (1, 2, 3, 0), "prodvers": (1, 2, 3, 0)}
    (_, [(_, language, strings, _)], _), (_, [(_, _, translation, _)], _) = resource["kids"]
    assert language == f"{translation[0]:04x}{translation[1]:04x}"
    said = {name: value for _, name, value, _ in strings}
    assert said["ProductName"] == project.title
    assert said["ProductVersion"] == said["FileVersion"] == "1.2.3"
    assert said["OriginalFilename"] == "dragoman-window.exe"
    assert said["CompanyName"] == authors


def test_every_file_is_installed_and_removed_and_no_other(project: Project, bundle: Path) -> None:
    facts = installer.format_facts(project, bundle, {})
    folder, files = "", []
    for line in macro_of(facts, "InstallFiles"):
        command, _, word = line.partition(" ")
        if command == "SetOutPath":
            folder = word.strip('"')
        else:
            assert command == "File"
            source = Path(word.strip('"'))
            assert source.is_file()
            files.append(f"{folder}\\{source.name.replace('$', '$$')}")
    expected = {
        "$INSTDIR\\dragoman.exe",
        "$INSTDIR\\dragoman-window.exe",
        "$INSTDIR\\_internal\\Zażółć\\$$TEMP.txt",
        "$INSTDIR\\_internal\\base.zip",
    }
    assert set(files) == expected
    removing = [line.split(" ", 1) for line in macro_of(facts, "RemoveFiles")]
    assert {word.strip('"') for command, word in removing if command == "Delete"} == expected
    # Folders after all files, the inner one first; the user's choice of a folder is not among them.
    assert removing[len(expected) :] == [
        ["RMDir", '"$INSTDIR\\_internal\\Zażółć"'],
        ["RMDir", '"$INSTDIR\\_internal"'],
    ]


def test_definitions_are_texts_of_the_script(project: Project, bundle: Path) -> None:
    odd = replace(project, summary='costs $5 and is called "it"', repository="https://dragoman.example/dragoman")
    facts = installer.format_facts(odd, bundle, {"OUTPUT": "/a b/setup.exe"})
    assert '!define SUMMARY "costs $$5 and is called $\\"it$\\""' in facts
    assert '!define OUTPUT "/a b/setup.exe"' in facts
    assert "HOME_PAGE" not in facts
    decided = replace(project, repository="https://github.com/someone/dragoman")
    assert '!define HOME_PAGE "https://github.com/someone/dragoman"' in installer.format_facts(decided, bundle, {})


def test_folders_are_removed_with_all_that_is_in_them_only_where_they_are_the_programs_own() -> None:
    assert re.findall(r"RMDir /r.*", SCRIPT) == ['RMDir /r "$LOCALAPPDATA\\${NAME}"']


def test_the_installer_knows_what_the_program_writes(project: Project) -> None:
    assert project.title == NAME
    assert project.name == APP_NAME
    assert f'!define RUN_KEY "{RUN}"' in SCRIPT
    assert f'!define APPROVED_KEY "{APPROVED}"' in SCRIPT
    written = re.search(r"WriteRegStr HKCU \"\$\{RUN_KEY\}\" \"\$\{TITLE\}\" '(.+)'", SCRIPT)
    assert written
    assert written[1] == command_line(["$INSTDIR\\${WINDOW}", HIDDEN])


def test_the_installer_needs_no_rights_of_an_administrator() -> None:
    assert "RequestExecutionLevel user" in SCRIPT
    assert not re.search(r"HKLM|SHCTX|\$PROGRAMFILES|/REBOOTOK", SCRIPT)


@pytest.mark.skipif(shutil.which("makensis") is None, reason="needs NSIS")
def test_nsis_makes_an_installer(project: Project, bundle: Path, tmp_path: Path) -> None:
    work, setup = tmp_path / "Łódź work", tmp_path / "x"
    work.mkdir()
    installer.make_installer(project, bundle, setup, work, compression="zlib")
    content = setup.read_bytes()
    assert content.startswith(b"MZ")
    version = "ProductVersion\0".encode("utf-16-le"), project.version.encode("utf-16-le")
    assert all(text in content for text in version)
    assert b'level="asInvoker"' in content


@pytest.mark.skipif(shutil.which("makensis") is None, reason="needs NSIS")
def test_uninstaller_and_installer_are_signed_by_the_users_command(
    project: Project, bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    signer, log, setup = tmp_path / "sign it.py", tmp_path / "signed.txt", tmp_path / "dragoman-setup.exe"
    signer.write_text(
        "import pathlib, sys\n"
        "*_, log, program = sys.argv\n"
        "print(program, pathlib.Path(program).read_bytes()[:2].decode(), file=open(log, 'a'))\n"
    )
    monkeypatch.setenv(signing.COMMAND, shlex.join([sys.executable, str(signer), str(log)]))
    installer.make_installer(project, bundle, setup, tmp_path, compression="zlib")
    uninstaller, last = log.read_text().splitlines()
    assert uninstaller.endswith(" MZ")
    assert last == f"{setup} MZ"


def test_a_signature_that_fails_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    command = [sys.executable, "-c", "import sys; sys.exit('no certificate for ' + sys.argv[1])"]
    monkeypatch.setenv(signing.COMMAND, shlex.join(command))
    with pytest.raises(BuildFailed, match=r"did not sign a\.exe:\nno certificate for .*a\.exe"):
        signing.sign(tmp_path / "a.exe")
    monkeypatch.delenv(signing.COMMAND)
    signing.sign(tmp_path / "a.exe")


@pytest.mark.skipif(shutil.which("makensis") is None, reason="needs NSIS")
def test_what_nsis_says_is_passed_on(project: Project, bundle: Path, tmp_path: Path) -> None:
    with pytest.raises(BuildFailed, match=r"NSIS did not make the installer(?s:.*)open output file"):
        installer.make_installer(project, bundle, tmp_path / "no such folder" / "dragoman-setup.exe", tmp_path)


@pytest.mark.parametrize(
    ("stubs", "target"),
    [
        (["lzma_solid-amd64-unicode", "lzma_solid-x86-unicode"], "amd64-unicode"),
        (["lzma_solid-x86-ansi", "lzma_solid-x86-unicode"], "x86-unicode"),
    ],
)
def test_the_installer_has_64_bits_where_nsis_can_make_it(stubs: list[str], target: str) -> None:
    assert installer.choose_target(stubs) == target


def test_an_nsis_that_is_too_old_or_missing_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with pytest.raises(BuildFailed, match="version 3 or later"):
        installer.choose_target(["lzma_solid-x86-ansi"])
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(BuildFailed, match="makensis is missing"):
        installer.find_makensis()


@pytest.mark.skipif("sys.platform == 'win32'")
def test_packages_of_windows_are_built_elsewhere_if_they_are_named() -> None:
    kinds = list_kinds()
    assert not [kind for kind in choose_kinds([], kinds) if kind.name.startswith("windows")]
    possible = {name: replace(kind, missing=lambda: None) for name, kind in kinds.items()}
    assert [kind.name for kind in choose_kinds(["windows-installer"], possible)] == [
        "wheel",
        "windows-zip",
        "windows-installer",
    ]


def test_a_text_of_the_registry_is_read_from_its_export() -> None:
    exported = (
        "Windows Registry Editor Version 5.00\r\n\r\n[HKEY_CURRENT_USER\\Software\\Run]\r\n"
        '"Dragoman"="\\"C:\\\\Users\\\\Zażółć\\\\dragoman-window.exe\\" --hidden"\r\n"Size"=dword:0000002a\r\n'
        '\r\n[HKEY_CURRENT_USER\\Software\\Run\\Inner]\r\n"Other"="x"\r\n'
    ).replace("\r\n", "\n")
    assert checks.read_text_value(exported, "Dragoman") == '"C:\\Users\\Zażółć\\dragoman-window.exe" --hidden'
    assert checks.read_text_value(exported, "Size") is None
    assert checks.read_text_value(exported, "Other") is None


def test_paths_are_those_of_windows_for_its_programs(tmp_path: Path) -> None:
    system = wine.Wine(tmp_path)
    prefix = wine.Prefix(system, tmp_path / "prefix", [])
    command = prefix.command(Path("/it's a/program.exe"), "--option", "/no/path")
    assert command[-4:] == ["wine", "Z:\\it's a\\program.exe", "--option", "/no/path"]
    assert f"WINEPREFIX={tmp_path / 'prefix'}" in command
