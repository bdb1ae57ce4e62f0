"""Private files: written atomically, readable by the user only."""

import errno
import os
import signal
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from server.config import paths
from server.config.paths import (
    default_config_dir,
    default_data_dir,
    find_file_holder,
    make_private_dir,
    retry_while_open,
    write_private,
)
from tests.systems import posix_only


def test_files_are_kept_in_the_users_own_places(made_home: Path) -> None:
    for place in (default_data_dir(), default_config_dir()):
        assert place.is_relative_to(made_home)
        assert "dragoman" in place.parts


def test_a_file_is_replaced_as_a_whole(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "file"
    write_private(path, b"old")
    with path.open("rb") as reader:
        write_private(path, b"new and longer")
        assert reader.read() == b"old"
    assert path.read_bytes() == b"new and longer"
    assert os.listdir(path.parent) == ["file"]


@posix_only("Windows has no file modes")
def test_modes_do_not_depend_on_the_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        write_private(tmp_path / "above" / "new" / "file", b"")
    finally:
        os.umask(before)
    modes = [stat.S_IMODE(path.stat().st_mode) for path in sorted(tmp_path.glob("above/**/*"))]
    assert [stat.S_IMODE((tmp_path / "above").stat().st_mode), *modes] == [0o700, 0o700, 0o600]


@posix_only("Windows has no file modes")
def test_a_directory_that_exists_keeps_its_rights(tmp_path: Path) -> None:
    (tmp_path / "shared").mkdir()
    (tmp_path / "shared").chmod(0o755)
    make_private_dir(tmp_path / "shared")
    assert stat.S_IMODE((tmp_path / "shared").stat().st_mode) == 0o755


@posix_only("Windows has no limit on the size of files")
def test_a_failed_write_leaves_the_old_file(tmp_path: Path) -> None:
    """A limit on the file size simulates a full disk: the write fails at the same point."""
    import resource

    path = tmp_path / "files" / "file"
    write_private(path, b"old")
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, hard))
    try:
        with pytest.raises(OSError, match="large"):
            write_private(path, b"x" * 1000)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, handler)
    assert path.read_bytes() == b"old"
    assert os.listdir(path.parent) == ["file"]


def test_what_a_killed_process_left_goes_with_the_next_write(tmp_path: Path) -> None:
    path = tmp_path / "files" / "file"
    killed_at_the_end = (
        "import os, pathlib, signal, sys; from server.config.paths import write_private;"
        "os.replace = lambda *_: os.kill(os.getpid(), signal.SIGTERM);"
        "write_private(pathlib.Path(sys.argv[1]), b'secret')"
    )
    for _ in range(2):
        subprocess.run([sys.executable, "-c", killed_at_the_end, str(path)], check=False, timeout=60)
    left = [entry for entry in path.parent.iterdir() if entry != path]
    assert [file.read_bytes() for file in left] == [b"secret", b"secret"]
    (old, young) = left
    os.utime(old, (0, 0))
    write_private(path, b"new")
    assert set(path.parent.iterdir()) == {path, young}


def test_no_file_of_another_kind_is_taken_for_a_left_one(tmp_path: Path) -> None:
    path = tmp_path / "files" / "file"
    path.parent.mkdir()
    part = "abcdefgh.dragoman.part"
    others = [path.with_name(name) for name in (".file.swp", ".file.abcdefgh", f".another.{part}", f"file.{part}")]
    for other in others:
        other.write_text("of somebody else's")
        os.utime(other, (0, 0))
    write_private(path, b"new")
    assert set(path.parent.iterdir()) == {path, *others}


def test_a_file_in_the_place_of_a_directory_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match=r"exists|directory"):
        make_private_dir(tmp_path / "file" / "below")


class HeldFile:
    """Simulates `os.replace` on Windows, which fails while a program has the file open, the given number of times."""

    def __init__(self, refusals: int) -> None:
        self.refusals = refusals
        self.replace = os.replace

    def __call__(self, source: str, target: Path) -> None:
        if self.refusals:
            self.refusals -= 1
            raise PermissionError(errno.EACCES, "Access is denied", str(target))
        self.replace(source, target)


@pytest.fixture
def windows(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], HeldFile]:
    """Make `os.replace` fail the given number of times, with five retries as on Windows."""

    def held(refusals: int) -> HeldFile:
        file = HeldFile(refusals)
        monkeypatch.setattr(paths, "RETRY_DELAYS", (0.0,) * 5)
        monkeypatch.setattr("os.replace", file)
        return file

    return held


def test_a_file_that_is_held_for_a_moment_is_replaced(tmp_path: Path, windows: Callable[[int], HeldFile]) -> None:
    path = tmp_path / "files" / "file"
    write_private(path, b"old")
    file = windows(5)
    write_private(path, b"new")
    assert (path.read_bytes(), file.refusals) == (b"new", 0)
    assert os.listdir(path.parent) == ["file"]


def test_a_file_that_stays_held_is_an_error_that_says_who_holds_it(
    tmp_path: Path, windows: Callable[[int], HeldFile]
) -> None:
    path = tmp_path / "files" / "file"
    write_private(path, b"old")
    windows(100)
    reading = "import sys; file = open(sys.argv[1]); print('open', flush=True); sys.stdin.read()"
    with subprocess.Popen(
        [sys.executable, "-c", reading, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as reader:
        assert reader.stdout is not None
        assert reader.stdout.readline() == "open\n"
        with pytest.raises(PermissionError, match=rf"\(process {reader.pid}\) has it open"):
            write_private(path, b"new")
        reader.communicate()
    assert path.read_bytes() == b"old"
    assert os.listdir(path.parent) == ["file"]
    assert find_file_holder(path) is None


def test_other_errors_are_not_tried_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paths, "RETRY_DELAYS", (0.0,) * 5)
    tries: list[int] = []

    def change() -> None:
        tries.append(1)
        raise FileNotFoundError

    with pytest.raises(FileNotFoundError):
        retry_while_open(tmp_path, change)
    assert tries == [1]


def test_windows_alone_tries_again() -> None:
    """On other systems a PermissionError is about permissions, which a retry does not change."""
    assert bool(paths.RETRY_DELAYS) == (sys.platform == "win32")
