"""The AppImage: its root, the squashfs, and the runtime before it."""

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from kinds import appimage
from project import read_project
from recipe import Build, BuildFailed

from tests.systems import posix_only

pytestmark = posix_only("file modes, links and scripts as programs")

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="AppImages are built on Linux")
squashfs = pytest.mark.skipif(shutil.which("mksquashfs") is None, reason="squashfs-tools are not installed")
mounts = pytest.mark.skipif(
    shutil.which("squashfuse") is None or not os.access("/dev/fuse", os.W_OK), reason="FUSE is not available"
)
PROJECT = read_project()


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    """A bundle's form, with a program that says where it is."""
    folder = tmp_path / "bundle" / PROJECT.name
    (folder / "_internal").mkdir(parents=True)
    (folder / "_internal" / "data").write_text("data")
    program = folder / PROJECT.name
    program.write_text('#!/bin/sh\nreadlink -f "$0"\n')
    program.chmod(0o755)
    return folder


def test_the_root_has_what_the_format_asks_for(bundle: Path, tmp_path: Path) -> None:
    app_dir = tmp_path / "AppDir"
    appimage.fill_app_dir(PROJECT, bundle, app_dir)
    ran = subprocess.run([app_dir / "AppRun"], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == str(app_dir / "usr/lib/dragoman/dragoman")
    assert {path.name for path in app_dir.iterdir()} == {
        "AppRun", "dragoman.desktop", "dragoman.png", ".DirIcon", "usr",
    }  # fmt: skip
    assert "\nIcon=dragoman\n" in (app_dir / "dragoman.desktop").read_text()
    for name in ("dragoman.png", ".DirIcon"):
        assert (app_dir / name).read_bytes().startswith(b"\x89PNG")
    links = [path for path in app_dir.rglob("*") if path.is_symlink()]
    # The image is mounted elsewhere at every start.
    assert all(not os.path.isabs(path.readlink()) and path.resolve().is_relative_to(app_dir) for path in links)
    assert (app_dir / f"usr/share/metainfo/{PROJECT.app_id}.metainfo.xml").is_file()


@squashfs
def test_the_same_files_give_the_same_image(bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    first, second = tmp_path / "first", tmp_path / "second"
    appimage.make_squashfs(bundle, first)
    os.utime(bundle / PROJECT.name, (1, 1))
    os.utime(bundle / "_internal", (2_000_000_000, 2_000_000_000))
    if os.geteuid() == 0:
        os.chown(bundle / PROJECT.name, 1234, 1234)
    appimage.make_squashfs(bundle, second)
    assert first.read_bytes() == second.read_bytes()
    command = ["unsquashfs", "-lls", str(first)]
    listed = subprocess.run(command, capture_output=True, text=True, check=True, env={"TZ": "UTC"})
    entries = [line for line in listed.stdout.splitlines() if "squashfs-root" in line]
    assert len(entries) == 4
    assert all(" root/root " in line and " 2023-11-14 " in line for line in entries)


@squashfs
@mounts
def test_the_image_behind_a_program_is_found_and_mounted(bundle: Path, tmp_path: Path) -> None:
    program = shutil.which("true")
    assert program is not None
    image, joined, mount = tmp_path / "image", tmp_path / "joined", tmp_path / "mount"
    appimage.make_squashfs(bundle, image)
    appimage.join_files(Path(program), image, joined)
    subprocess.run([joined], check=True)
    assert appimage.elf_size(joined) == Path(program).stat().st_size
    mount.mkdir()
    with appimage.mounted(joined, appimage.elf_size(joined), mount):
        ran = subprocess.run([mount / PROJECT.name], capture_output=True, text=True, check=True)
        assert ran.stdout.strip() == str(mount / PROJECT.name)
        assert (mount / "_internal" / "data").read_text() == "data"
    assert not mount.is_mount()


@mounts
def test_what_is_no_image_is_reported(tmp_path: Path) -> None:
    (tmp_path / "image").write_bytes(b"no squashfs" * 1000)
    (tmp_path / "mount").mkdir()
    with (
        pytest.raises(BuildFailed, match="cannot be mounted"),
        appimage.mounted(tmp_path / "image", 0, tmp_path / "mount"),
    ):
        pass


@squashfs
def test_without_a_runtime_the_build_says_what_is_missing(
    bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv(appimage.RUNTIME_VARIABLE, raising=False)
    built = appimage.build(Build(PROJECT, tmp_path / "output", {"bundle": bundle}))
    assert built.name.startswith(f"dragoman-{PROJECT.version}-")
    assert built.suffix == ".squashfs"
    assert f"/runtime-{os.uname().machine} and set DRAGOMAN_APPIMAGE_RUNTIME" in capsys.readouterr().err


@squashfs
def test_with_its_runtime_the_build_is_one_program(
    bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    runtime = tmp_path / "runtime"
    runtime.write_bytes(b"the runtime")
    monkeypatch.setenv(appimage.RUNTIME_VARIABLE, str(runtime))
    digest = hashlib.sha256(b"the runtime").hexdigest()
    monkeypatch.setitem(appimage.RUNTIME_DIGESTS, os.uname().machine, digest)
    built = appimage.build(Build(PROJECT, tmp_path / "output", {"bundle": bundle}))
    assert built.suffix == ".AppImage"
    assert os.access(built, os.X_OK)
    assert built.read_bytes().startswith(b"the runtimehsqs")
    assert not list(built.parent.glob("*.squashfs"))


@pytest.mark.parametrize(("exists", "message"), [(True, "its SHA-256 is"), (False, "cannot be read")])
def test_another_runtime_is_refused(
    exists: bool, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    runtime = tmp_path / "runtime"
    if exists:
        runtime.write_bytes(b"\x7fELF")
    monkeypatch.setenv(appimage.RUNTIME_VARIABLE, str(runtime))
    with pytest.raises(BuildFailed, match=message):
        appimage.find_runtime("x86_64")
