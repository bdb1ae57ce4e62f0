"""Reading, changing and restoring files, with their links and modes."""

import stat
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from tests.systems import posix_only
from tray_app.clients.backups import MAX_BACKUPS, Backups
from tray_app.clients.catalogue import CLIENTS
from tray_app.clients.client import Client, Configuration, Places
from tray_app.clients.config_file import (
    FileChange,
    FileState,
    apply_change,
    is_untouched_since,
    prepare_change,
    prepare_undo,
    read_state,
)
from tray_app.clients.connection import Connection
from tray_app.clients.errors import (
    ClientFileChanged,
    ClientFileDamaged,
    ClientFileError,
    ClientFileUneditable,
    ClientFileUnwritable,
)

BEFORE = "# mine\nname: Mine # name\nversion: 1\nschema: v1\nmodels: []\n"
CONTINUE = next(client for client in CLIENTS if client.id == "continue")


class Desk:
    """Continue's file, and the operations on it."""

    def __init__(self, connection: Connection, places: Places, backups: Backups) -> None:
        self.connection, self.places, self.backups = connection, places, backups
        self.path = places.home / ".continue" / "config.yaml"
        self.path.parent.mkdir(parents=True)
        self.now = 1000.0

    @property
    def configuration(self) -> Configuration:
        assert CONTINUE.configuration is not None
        return CONTINUE.configuration

    def prepare_change(self) -> FileChange:
        return prepare_change(CONTINUE, self.configuration, self.connection, self.places)

    def apply_change(self, change: FileChange) -> None:
        self.now += 1
        apply_change(change, self.backups, at=self.now)

    def undo_change(self) -> FileChange:
        last = self.read_state().last
        assert last is not None
        return prepare_undo(last, self.backups)

    def read_state(self, client: Client = CONTINUE) -> FileState:
        state = read_state(client, self.connection, self.places, self.backups)
        assert state is not None
        return state

    def mode(self) -> int:
        return stat.S_IMODE(self.path.stat().st_mode)


@pytest.fixture
def desk(connection: Connection, places: Places, backups: Backups) -> Desk:
    return Desk(connection, places, backups)


def test_file_is_changed_and_restored(desk: Desk) -> None:
    desk.path.write_text(BEFORE)
    desk.path.chmod(0o640)
    change = desk.prepare_change()
    assert change.is_needed
    assert change.is_shared
    assert desk.path.read_text() == BEFORE, "nothing is written before it was looked at"
    assert "+++" in change.diff
    assert "-models: []" in change.diff
    assert " version: 1" in change.diff
    desk.apply_change(change)
    assert desk.read_state().state.kind == "configured"
    assert desk.mode() == 0o640
    undo = desk.undo_change()
    assert is_untouched_since(undo)
    desk.apply_change(undo)
    assert desk.path.read_text() == BEFORE
    assert desk.mode() == 0o640
    assert desk.read_state().last is None
    assert desk.read_state().state.kind == "absent"


def test_new_file_is_private_and_deleted_by_undo(desk: Desk) -> None:
    desk.path.parent.rmdir()
    change = desk.prepare_change()
    assert not change.is_shared
    assert change.diff.startswith("--- /dev/null")
    desk.apply_change(change)
    assert desk.mode() == 0o600
    undo = desk.undo_change()
    assert undo.after is None
    desk.apply_change(undo)
    assert not desk.path.exists()


def test_links_are_followed_and_stay(desk: Desk, tmp_path: Path) -> None:
    target = tmp_path / "dotfiles" / "continue.yaml"
    target.parent.mkdir()
    target.write_text(BEFORE)
    desk.path.symlink_to(target)
    desk.apply_change(desk.prepare_change())
    assert desk.path.is_symlink()
    assert desk.connection.secret in target.read_text()
    assert [file.name for file in target.parent.iterdir()] == [target.name], "nothing is left beside it"
    desk.apply_change(desk.undo_change())
    assert desk.path.is_symlink()
    assert target.read_text() == BEFORE


def test_a_link_to_nothing_gets_its_file(desk: Desk, tmp_path: Path) -> None:
    desk.path.symlink_to(tmp_path / "later.yaml")
    desk.apply_change(desk.prepare_change())
    assert desk.path.is_symlink()
    assert (tmp_path / "later.yaml").exists()


def test_file_changed_since_is_detected_and_can_be_restored(desk: Desk) -> None:
    desk.path.write_text(BEFORE)
    desk.apply_change(desk.prepare_change())
    desk.path.write_text(desk.path.read_text() + "# later\n")
    undo = desk.undo_change()
    assert not is_untouched_since(undo)
    assert "-# later" in undo.diff
    desk.apply_change(undo)
    assert desk.path.read_text() == BEFORE


def test_file_changed_after_preparation_is_not_overwritten(desk: Desk) -> None:
    desk.path.write_text(BEFORE)
    change = desk.prepare_change()
    desk.path.write_text(BEFORE + "# just now\n")
    with pytest.raises(ClientFileChanged):
        desk.apply_change(change)
    assert desk.path.read_text() == BEFORE + "# just now\n"
    assert desk.read_state().last is None


def test_a_change_is_made_once(desk: Desk) -> None:
    desk.path.write_text(BEFORE)
    change = desk.prepare_change()
    desk.apply_change(change)
    with pytest.raises(ClientFileChanged):
        desk.apply_change(change)
    desk.apply_change(desk.undo_change())
    assert desk.path.read_text() == BEFORE


def test_changes_are_taken_back_one_after_the_other(desk: Desk) -> None:
    desk.path.write_text(BEFORE)
    desk.apply_change(desk.prepare_change())
    first = desk.path.read_text()
    desk.connection = replace(desk.connection, url="http://127.0.0.1:8001")
    assert desk.read_state().state.kind == "outdated"
    desk.apply_change(desk.prepare_change())
    desk.apply_change(desk.undo_change())
    assert desk.path.read_text() == first
    desk.apply_change(desk.undo_change())
    assert desk.path.read_text() == BEFORE


def test_nothing_to_change_is_no_change(desk: Desk) -> None:
    desk.apply_change(desk.prepare_change())
    assert not desk.prepare_change().is_needed
    assert desk.prepare_change().diff == ""


@pytest.mark.parametrize(
    ("data", "line", "column"),
    [(b"a: 1\nb: c: d\n", 2, 5), (b"a: 1\n\xff\xfe: 2\n", 2, 1)],
    ids=["yaml", "bytes"],
)
def test_a_damaged_file_is_not_touched_and_the_error_says_where(
    desk: Desk, data: bytes, line: int, column: int
) -> None:
    desk.path.write_bytes(data)
    with pytest.raises(ClientFileDamaged) as raised:
        desk.prepare_change()
    assert (raised.value.path, raised.value.line, raised.value.column) == (desk.path, line, column)
    assert f"line {line}, column {column}" in raised.value.message
    assert desk.path.read_bytes() == data
    assert str(desk.read_state().problem) == str(raised.value)


def test_file_of_another_structure_is_not_touched(desk: Desk) -> None:
    desk.path.write_text("models: {a: 1}\n")
    with pytest.raises(ClientFileUneditable):
        desk.prepare_change()
    assert desk.path.read_text() == "models: {a: 1}\n"


def test_a_read_only_file_is_respected(desk: Desk) -> None:
    desk.path.write_text(BEFORE)
    desk.path.chmod(0o444)
    with pytest.raises(ClientFileUnwritable, match="read-only"):
        desk.prepare_change()
    desk.path.chmod(0o644)
    change = desk.prepare_change()
    desk.path.chmod(0o444)
    with pytest.raises(ClientFileUnwritable, match="read-only"):
        desk.apply_change(change)
    assert desk.path.read_text() == BEFORE
    assert desk.mode() == 0o444


def test_a_directory_in_the_place_of_the_file(desk: Desk) -> None:
    desk.path.mkdir()
    with pytest.raises(ClientFileError):
        desk.prepare_change()
    assert desk.read_state().problem is not None


def test_failed_write_leaves_no_backup(desk: Desk) -> None:
    desk.path.parent.rmdir()
    change = desk.prepare_change()
    desk.path.parent.write_text("a file in the place of the directory")
    with pytest.raises(ClientFileUnwritable):
        desk.apply_change(change)
    assert desk.backups.find_last("continue", desk.path) is None


def test_a_byte_order_mark_and_windows_lines_stay(desk: Desk) -> None:
    desk.path.write_bytes(b"\xef\xbb\xbf" + BEFORE.replace("\n", "\r\n").encode())
    desk.apply_change(desk.prepare_change())
    data = desk.path.read_bytes()
    assert data.startswith(b"\xef\xbb\xbf#")
    assert data.count(b"\n") == data.count(b"\r\n")


@posix_only("file modes")
def test_backups_are_private_and_limited(desk: Desk, tmp_path: Path) -> None:
    desk.path.write_text(BEFORE)
    for number in range(MAX_BACKUPS + 3):
        desk.connection = replace(desk.connection, key=f"dgm-{number}")
        desk.apply_change(desk.prepare_change())
    files = list((tmp_path / "backups").iterdir())
    assert len(files) == MAX_BACKUPS + 1, "and the index"
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}
    assert stat.S_IMODE((tmp_path / "backups").stat().st_mode) == 0o700


def test_lost_backup_is_an_error_and_nothing_is_written(desk: Desk, tmp_path: Path) -> None:
    desk.path.write_text(BEFORE)
    desk.apply_change(desk.prepare_change())
    after = desk.path.read_text()
    for file in (tmp_path / "backups").glob("*.backup"):
        file.unlink()
    with pytest.raises(ClientFileUnwritable, match="backup"):
        desk.undo_change()
    assert desk.path.read_text() == after


def test_two_at_once_make_one_change(desk: Desk) -> None:
    desk.path.write_text(BEFORE)
    change = desk.prepare_change()
    failures: list[ClientFileError] = []
    both = threading.Barrier(2)

    def attempt() -> None:
        both.wait()
        try:
            desk.apply_change(change)
        except ClientFileError as error:
            failures.append(error)

    threads = [threading.Thread(target=attempt) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert desk.read_state().state.kind == "configured"
    assert len(failures) == 1


def test_an_old_config_of_continue_s_is_mentioned(desk: Desk) -> None:
    assert not desk.configuration.caution(desk.places)
    desk.path.with_name("config.json").write_text("{}")
    assert "config.json" in str(desk.configuration.caution(desk.places))
    desk.path.write_text(BEFORE)
    assert not desk.configuration.caution(desk.places)


@pytest.mark.parametrize(
    ("client", "system", "environment", "expected"),
    [
        ("zed", "linux", {}, ".config/zed/settings.json"),
        ("zed", "linux", {"XDG_CONFIG_HOME": "HOME/xdg"}, "xdg/zed/settings.json"),
        ("zed", "linux", {"XDG_CONFIG_HOME": "relative"}, ".config/zed/settings.json"),
        ("zed", "darwin", {"XDG_CONFIG_HOME": "HOME/xdg"}, ".config/zed/settings.json"),
        ("zed", "win32", {}, "AppData/Roaming/Zed/settings.json"),
        ("zed", "win32", {"APPDATA": "HOME/roaming"}, "roaming/Zed/settings.json"),
        ("opencode", "linux", {}, ".config/opencode/opencode.json"),
        ("codex", "linux", {"CODEX_HOME": "HOME/cx"}, "cx/config.toml"),
        ("codex", "linux", {}, ".codex/config.toml"),
        ("aider", "linux", {}, ".aider.conf.yml"),
    ],
)
def test_where_the_files_are(
    made_home: Path, client: str, system: str, environment: dict[str, str], expected: str
) -> None:
    environment = {name: value.replace("HOME", str(made_home)) for name, value in environment.items()}
    found = next(one for one in CLIENTS if one.id == client).configuration
    assert found is not None
    assert found.file(Places(made_home, environment, system)) == made_home / expected


def test_opencode_s_file_with_comments_goes_first(made_home: Path) -> None:
    configuration = next(one for one in CLIENTS if one.id == "opencode").configuration
    assert configuration is not None
    places = Places(made_home, {}, "linux")
    (made_home / ".config" / "opencode").mkdir(parents=True)
    (made_home / ".config" / "opencode" / "opencode.jsonc").touch()
    assert configuration.file(places).name == "opencode.jsonc"
