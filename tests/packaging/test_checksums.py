"""SHA256SUMS: what `sha256sum` accepts, for all packages in the folder."""

import subprocess
from pathlib import Path

import pytest
from kinds import checksums
from project import read_project
from recipe import Build, BuildFailed


@pytest.fixture
def build(tmp_path: Path) -> Build:
    (tmp_path / "work").mkdir()
    (tmp_path / ".partial").touch()
    (tmp_path / "dragoman.deb").write_bytes(b"package\n")
    (tmp_path / "dragoman 2.zip").write_bytes(b"\0\r\n")
    return Build(read_project(), tmp_path)


def test_the_systems_tool_accepts_the_sums(build: Build) -> None:
    path = checksums.build(build)
    command = ["sha256sum", "--check", "--strict", path.name]
    ran = subprocess.run(command, cwd=build.output, capture_output=True, text=True, check=True)
    assert ran.stdout.splitlines() == ["dragoman 2.zip: OK", "dragoman.deb: OK"]
    checksums.check(build, path)


def test_writing_them_again_leaves_their_own_file_out(build: Build) -> None:
    first = checksums.build(build).read_text()
    assert checksums.build(build).read_text() == first


def test_a_changed_package_is_named(build: Build) -> None:
    path = checksums.build(build)
    (build.output / "dragoman.deb").write_bytes(b"another\n")
    with pytest.raises(BuildFailed, match=r"^dragoman\.deb changed"):
        checksums.check(build, path)


def test_a_package_without_a_sum_is_noticed(build: Build) -> None:
    path = checksums.build(build)
    (build.output / "late.dmg").touch()
    with pytest.raises(BuildFailed, match="does not name exactly the packages"):
        checksums.check(build, path)


def test_an_empty_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BuildFailed, match="has no packages"):
        checksums.build(Build(read_project(), tmp_path))
