"""XDG autostart, with real files in a temporary home."""

from pathlib import Path

import pytest

from server.core.errors import SetupError
from tests.systems import INERT
from tray_app.desktop.autostart.desktop_entry import parse_entry, parse_exec
from tray_app.desktop.autostart.linux import XdgAutostart


class Desktop:
    """A home, a folder for all users, and a program that exists."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.entry = root / "config" / "autostart" / "dragoman.desktop"
        self.for_all = root / "xdg" / "autostart" / "dragoman.desktop"
        self.program = self.install("my apps/dragoman")

    def install(self, name: str) -> Path:
        program = self.root / name
        program.parent.mkdir(parents=True, exist_ok=True)
        program.write_text(INERT)
        program.chmod(0o755)
        return program

    def write(self, *lines: str, path: Path | None = None) -> None:
        path = path or self.entry
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("\n".join(["[Desktop Entry]", "Type=Application", *lines, ""]))

    def autostart(self, program: Path | None = None) -> XdgAutostart:
        environment = {
            "HOME": str(self.root / "home"),
            "XDG_CONFIG_HOME": str(self.root / "config"),
            "XDG_CONFIG_DIRS": f"relative/ignored:{self.root / 'xdg'}",
            "PATH": str(self.root / "bin"),
        }
        return XdgAutostart([str(program or self.program), "--hidden"], environment)


@pytest.fixture
def desktop(tmp_path: Path) -> Desktop:
    return Desktop(tmp_path)


def test_turning_on_and_off(desktop: Desktop) -> None:
    autostart = desktop.autostart()
    assert not autostart.is_enabled()
    autostart.enable()
    assert autostart.is_enabled()
    autostart.disable()
    assert not autostart.is_enabled()
    assert not desktop.entry.exists()


def test_file_has_the_required_keys(desktop: Desktop) -> None:
    desktop.autostart().enable()
    entry = parse_entry(desktop.entry.read_text())
    assert parse_exec(entry["Exec"]) == [str(desktop.program), "--hidden"]
    assert entry["TryExec"] == str(desktop.program)
    assert entry["Type"] == "Application"
    assert entry["Terminal"] == "false"
    assert [path.name for path in desktop.entry.parent.iterdir()] == [desktop.entry.name]


@pytest.mark.parametrize("line", ["Hidden=true", "X-GNOME-Autostart-enabled=false", "TryExec=/gone/program"])
def test_entry_that_the_desktop_ignores_is_off_and_can_be_turned_on(desktop: Desktop, line: str) -> None:
    desktop.write(f'Exec="{desktop.program}" --hidden', line)
    assert not desktop.autostart().is_enabled()
    desktop.autostart().enable()
    assert desktop.autostart().is_enabled()


def test_state_is_read_each_time(desktop: Desktop) -> None:
    autostart = desktop.autostart()
    autostart.enable()
    desktop.entry.write_text(desktop.entry.read_text() + "Hidden=true\n")
    assert not autostart.is_enabled()


def test_entry_of_a_missing_program_is_off_until_repaired(desktop: Desktop) -> None:
    desktop.autostart().enable()
    moved = desktop.install("elsewhere/dragoman")
    desktop.program.unlink()
    autostart = desktop.autostart(moved)
    assert not autostart.is_enabled()
    assert autostart.repair_entry()
    assert autostart.is_enabled()
    assert parse_exec(parse_entry(desktop.entry.read_text())["Exec"])[0] == str(moved)
    assert not autostart.repair_entry()


def test_working_entry_of_another_installation_is_kept(desktop: Desktop) -> None:
    desktop.autostart().enable()
    before = desktop.entry.read_text()
    other = desktop.autostart(desktop.install("checkout/dragoman"))
    assert not other.repair_entry()
    other.enable()
    assert desktop.entry.read_text() == before


def test_entry_that_the_user_turned_off_is_not_repaired(desktop: Desktop) -> None:
    desktop.autostart().enable()
    desktop.entry.write_text(desktop.entry.read_text().replace("enabled=true", "enabled=false"))
    desktop.program.unlink()
    assert not desktop.autostart(desktop.install("elsewhere/dragoman")).repair_entry()


def test_entry_that_the_user_wrote_is_not_repaired(desktop: Desktop) -> None:
    desktop.write("Exec=/my/own/wrapper --hidden")
    before = desktop.entry.read_text()
    assert not desktop.autostart().repair_entry()
    assert desktop.entry.read_text() == before


def test_there_is_nothing_to_repair_without_an_entry(desktop: Desktop) -> None:
    assert not desktop.autostart().repair_entry()
    assert not desktop.entry.exists()


def test_other_entries_are_untouched(desktop: Desktop) -> None:
    other = desktop.entry.with_name("other.desktop")
    desktop.write("Exec=other", path=other)
    autostart = desktop.autostart()
    for change in (autostart.enable, autostart.repair_entry, autostart.disable):
        change()
    assert "Exec=other" in other.read_text()


def test_an_entry_for_all_users_counts_and_is_hidden_for_this_one(desktop: Desktop) -> None:
    desktop.install("bin/dragoman")
    desktop.write("Exec=dragoman --hidden", path=desktop.for_all)
    before = desktop.for_all.read_text()
    autostart = desktop.autostart()
    assert autostart.is_enabled()
    autostart.disable()
    assert not autostart.is_enabled()
    autostart.enable()
    assert autostart.is_enabled()
    assert desktop.for_all.read_text() == before


def test_unwritable_directory_is_an_error(desktop: Desktop) -> None:
    desktop.entry.parent.parent.mkdir()
    desktop.entry.parent.write_text("a file where the folder should be")
    with pytest.raises(SetupError, match="Start at login"):
        desktop.autostart().enable()


def test_description_names_the_file(desktop: Desktop) -> None:
    assert str(desktop.entry) in desktop.autostart().description


def in_flatpak(desktop: Desktop) -> XdgAutostart:
    """The autostart in a sandbox, which has the home and no command `flatpak`."""
    environment = {"HOME": str(desktop.root / "home"), "PATH": str(desktop.root / "bin")}
    return XdgAutostart(["flatpak", "run", "org.a.B", "--hidden"], environment)


def test_in_a_flatpak_the_entry_runs_it_from_outside(desktop: Desktop) -> None:
    autostart = in_flatpak(desktop)
    autostart.enable()
    entry = parse_entry((desktop.root / "home/.config/autostart/dragoman.desktop").read_text())
    assert parse_exec(entry["Exec"]) == ["flatpak", "run", "org.a.B", "--hidden"]
    assert entry["TryExec"] == "flatpak"
    assert autostart.is_enabled()
    assert not autostart.repair_entry()
    autostart.disable()
    assert not autostart.is_enabled()


def test_in_a_flatpak_programs_that_it_cannot_see_are_left_alone(desktop: Desktop) -> None:
    path = desktop.root / "home" / ".config" / "autostart" / "dragoman.desktop"
    desktop.write("Exec=/usr/bin/dragoman --hidden", "X-Dragoman=true", path=path)
    assert in_flatpak(desktop).is_enabled()
    assert not in_flatpak(desktop).repair_entry()
    gone = desktop.root / "home" / "gone"
    desktop.write(f"Exec={gone} --hidden", "X-Dragoman=true", path=path)
    assert in_flatpak(desktop).repair_entry()
    assert "flatpak" in path.read_text()
