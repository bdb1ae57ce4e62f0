"""What Linux's packages install beside the program."""

import argparse
import configparser
import gzip
import re
import xml.etree.ElementTree as ElementTree
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from licenses import TEXTS_FILE
from linux import manpage
from linux.files import (
    ICON_SIZES,
    desktop_file,
    install_desktop_files,
    install_documents,
    install_unit,
    manpage_file,
    metainfo_file,
    unit_file,
)
from linux.templates import build_date, render_releases, short_summary
from project import read_project
from PySide6.QtGui import QImage

from server.cli.arguments import build_parser
from server.config.arguments import SUBCOMMANDS
from server.config.own_commands import desktop_id

PROJECT = read_project()


@pytest.fixture(scope="module")
def prefix(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The installed files."""
    prefix = tmp_path_factory.mktemp("root") / "usr"
    install_desktop_files(PROJECT, prefix)
    install_documents(PROJECT, prefix)
    install_unit(PROJECT, prefix)
    return prefix


def test_the_desktop_entry_has_the_name_that_the_window_tells_the_desktop(prefix: Path) -> None:
    assert desktop_file(PROJECT, prefix) == prefix / "share" / "applications" / f"{desktop_id()}.desktop"
    entry = configparser.ConfigParser(interpolation=None)
    entry.optionxform = str  # type: ignore[assignment, method-assign]
    entry.read_string(desktop_file(PROJECT, prefix).read_text(encoding="utf-8"))
    desktop = entry["Desktop Entry"]
    assert (desktop["Name"], desktop["Exec"], desktop["Icon"]) == (PROJECT.title, PROJECT.name, PROJECT.name)
    assert desktop["Keywords"] == ";".join(PROJECT.keywords) + ";"
    assert not list(prefix.rglob("autostart"))


def test_the_metainfo_tells_the_facts_of_the_project(prefix: Path) -> None:
    component = ElementTree.parse(metainfo_file(PROJECT, prefix)).getroot()  # noqa: S314 - our own file
    assert component.findtext("id") == PROJECT.app_id
    assert component.findtext("project_license") == PROJECT.license
    assert component.findtext("launchable") == desktop_file(PROJECT, prefix).name
    assert component.findtext("url") == PROJECT.repository
    assert next(component.iter("release")).get("version") == PROJECT.version
    picture = component.findtext("screenshots/screenshot/image") or ""
    assert (Path(__file__).parents[2] / picture.partition(f"{PROJECT.tag}/")[2]).is_file()


def test_characters_that_xml_reserves_are_escaped(tmp_path: Path) -> None:
    project = replace(PROJECT, authors="A & B <C>")
    install_desktop_files(project, tmp_path)
    component = ElementTree.parse(metainfo_file(project, tmp_path)).getroot()  # noqa: S314
    assert component.findtext("developer/name") == "A & B <C>"


@pytest.mark.parametrize("size", ICON_SIZES)
def test_the_icon_is_drawn_in_every_size(size: int, prefix: Path) -> None:
    icon = QImage(str(prefix / f"share/icons/hicolor/{size}x{size}/apps/{PROJECT.name}.png"))
    assert (icon.width(), icon.height()) == (size, size)
    assert icon.pixelColor(0, 0).alpha() == 0
    assert icon.pixelColor(size // 2, size // 4).alpha() == 255


def test_releases_come_from_the_changelog() -> None:
    changelog = "# Changelog\n\n## [Unreleased]\n\n## [1.1.0] - 2026-05-04\n\n- b\n\n## [1.0.0] - 2026-03-02\n\n- a\n"
    today = date(2026, 6, 7)
    assert render_releases("1.1.0", changelog, today) == [
        '<release version="1.1.0" date="2026-05-04" type="stable"/>',
        '<release version="1.0.0" date="2026-03-02" type="stable"/>',
    ]
    assert render_releases("1.2.0", changelog, today)[0] == (
        '<release version="1.2.0" date="2026-06-07" type="development"/>'
    )


def test_files_state_the_date_of_the_source(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "86400")
    assert build_date() == date(1970, 1, 2)


def test_the_short_summary_is_one_clause() -> None:
    assert short_summary("A server that serves.") == "Server"


def test_the_manual_page_describes_every_command_and_option(prefix: Path) -> None:
    page = gzip.decompress(manpage_file(PROJECT, prefix).read_bytes()).decode()
    commands = re.findall(r'^\.SS "(.+)"$', page, re.MULTILINE)
    assert set(SUBCOMMANDS) <= {command.split()[1] for command in commands}
    assert {"dragoman key add", "dragoman key revoke"} <= set(commands)
    plain = page.replace("\\-", "-")
    for parser in (manpage.build_desktop_parser(), *manpage.subcommands(build_parser())):
        for action in parser._actions:
            for option in action.option_strings:
                assert option in plain, f"{parser.prog} {option}"
    assert max(len(line) for line in page.splitlines()) <= 80


def test_an_argument_without_help_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    parser = argparse.ArgumentParser(prog="made-up")
    parser.add_argument("--silent")
    monkeypatch.setattr(manpage, "build_desktop_parser", lambda: parser)
    with pytest.raises(ValueError, match="made-up: --silent SILENT has no help"):
        manpage.render_manpage(PROJECT, "2026-01-02")


def test_the_manual_page_escapes_what_roff_interprets() -> None:
    assert manpage._text(r"'a' -b c:\d") == [r"\&'a' \-b c:\ed"]


def test_the_license_is_there_and_names_the_file_of_all_others(prefix: Path) -> None:
    text = (prefix / "share" / "doc" / PROJECT.name / "copyright").read_text(encoding="utf-8")
    assert "Permission is hereby granted" in text
    assert TEXTS_FILE in text


def test_the_unit_runs_the_server_and_is_not_enabled(prefix: Path) -> None:
    unit = unit_file(PROJECT, prefix).read_text(encoding="utf-8")
    assert f"ExecStart=/usr/bin/{PROJECT.name} serve\n" in unit
    assert unit_file(PROJECT, prefix) == prefix / "lib/systemd/user" / f"{PROJECT.name}.service"
    assert not [path for path in prefix.rglob("*") if path.name.endswith(".wants")]
