"""The Debian package: its control data, files and modes, and the packages that it depends on."""

import os
import re
import shutil
import subprocess
from dataclasses import replace
from datetime import date
from email import message_from_string
from pathlib import Path

import PySide6
import pytest
from kinds import deb
from licenses import TEXTS_FILE
from linux import libraries
from linux.debian_changelog import debian_version, render_changelog
from linux.libraries import Needs, debian_packages, find_library, parse_needs, remove_search_paths
from linux.trial import contents, is_removed
from project import read_project
from recipe import BuildFailed

from tests.systems import posix_only

pytestmark = [
    posix_only("files with modes"),
    pytest.mark.skipif(shutil.which("dpkg-deb") is None, reason="Debian's packages are built on Debian alone"),
]

PROJECT = read_project()
CONTROL = deb.Control(depends=["libc6 (>= 2.36)", "libx11-6"], architecture="arm64", kilobytes=123)
OBJDUMP = """
/bundle/program:     file format elf64-x86-64

Dynamic Section:
  NEEDED               libX11.so.6
  NEEDED               libown.so.1
  NEEDED               libc.so.6

Version References:
  required from libc.so.6:
    0x09691a75 0x00 03 GLIBC_2.2.5
    0x069691b4 0x00 02 GLIBC_2.34
    0x069691b5 0x00 04 GLIBC_2.4
"""


@pytest.fixture
def prefix(tmp_path: Path) -> Path:
    """The installed files of a package, for a bundle that is a program alone."""
    bundle = tmp_path / "bundle"
    bundle.mkdir()
    (bundle / PROJECT.name).write_bytes(b"\x7fELF")
    (bundle / TEXTS_FILE).write_text("All licenses.")
    deb.install_files(PROJECT, bundle, tmp_path / "root" / "usr")
    return tmp_path / "root" / "usr"


def test_the_control_file_tells_the_facts_of_the_project() -> None:
    fields = message_from_string(deb.render_control(PROJECT, CONTROL))
    assert (fields["Package"], fields["Version"], fields["Architecture"]) == (PROJECT.name, PROJECT.version, "arm64")
    assert fields["Depends"] == "libc6 (>= 2.36), libx11-6"
    assert fields["Installed-Size"] == "123"
    assert fields["Homepage"] == PROJECT.repository
    short, *extended = fields["Description"].splitlines()
    assert 10 < len(short) < 60
    assert " ".join(line.strip() for line in extended).startswith(PROJECT.summary)
    assert all(line.startswith(" ") and len(line) <= 80 for line in extended)


@pytest.mark.parametrize(
    ("older", "newer"),
    [("1.0a2", "1.0b1"), ("1.0b1", "1.0rc1"), ("1.0rc1", "1.0"), ("1.0.dev3", "1.0a1"), ("1.0", "1.0.post1"),
     ("1.0rc1.dev2", "1.0rc1"), ("1.9", "1.10"), ("0.1.0", "0.1.1a1")],
)  # fmt: skip
def test_dpkg_orders_versions_as_python_does(older: str, newer: str) -> None:
    compared = ["dpkg", "--compare-versions", debian_version(older), "lt", debian_version(newer)]
    assert subprocess.run(compared).returncode == 0


def test_the_changelog_is_read_by_dpkg(tmp_path: Path) -> None:
    text = (
        "# Changelog\n\n## [Unreleased]\n\n### Added\n\n- A thing that is described\n  on two lines.\n- Another.\n\n"
        "## [1.0rc1] - 2026-03-02\n\n- The first.\n"
    )
    rendered = render_changelog("made-up", "1.0", "People <people@example.org>", text, date(2026, 4, 5))
    (tmp_path / "changelog").write_text(rendered)
    command = ["dpkg-parsechangelog", "--all", "-l", str(tmp_path / "changelog")]
    parsed = subprocess.run(command, capture_output=True, text=True, check=True)
    assert parsed.stderr == ""
    fields = message_from_string(parsed.stdout)
    assert (fields["Source"], fields["Version"]) == ("made-up", "1.0")
    assert fields["Date"] == "Sun, 05 Apr 2026 00:00:00 +0000"
    assert "* A thing that is described on two lines." in fields["Changes"]
    assert "made-up (1.0~rc1) unstable" in fields["Changes"]


def test_a_release_without_entries_is_an_error() -> None:
    with pytest.raises(ValueError, match=r"no entry for 1\.0"):
        render_changelog("made-up", "1.0", "People <p@example.org>", "## [Unreleased]\n", date(2026, 4, 5))


def test_the_package_installs_the_program_and_what_belongs_to_it(prefix: Path) -> None:
    name = PROJECT.name
    files = {str(path.relative_to(prefix)) for path in prefix.rglob("*") if not path.is_dir()}
    icons = {path for path in files if path.startswith("share/icons/hicolor/")}
    assert len(icons) > 5
    assert files - icons == {
        f"bin/{name}",
        f"lib/{name}/{name}",
        f"lib/{name}/{TEXTS_FILE}",
        f"lib/systemd/user/{name}.service",
        f"share/applications/{name}.desktop",
        f"share/doc/{name}/changelog.gz",
        f"share/doc/{name}/copyright",
        f"share/doc/{name}/{TEXTS_FILE}",
        f"share/lintian/overrides/{name}",
        f"share/man/man1/{name}.1.gz",
        f"share/metainfo/{PROJECT.app_id}.metainfo.xml",
    }
    assert (prefix / "bin" / name).resolve() == prefix / "lib" / name / name
    assert (prefix / "share" / "doc" / name / TEXTS_FILE).read_text() == "All licenses."


def test_modes_do_not_depend_on_the_umask(prefix: Path, tmp_path: Path) -> None:
    program = prefix / "lib" / PROJECT.name / PROJECT.name
    secret = prefix / "share" / "doc" / PROJECT.name / "copyright"
    secret.chmod(0o777)
    program.chmod(0o600)
    deb.set_modes(prefix.parent, {program})
    modes = {path: path.stat().st_mode & 0o777 for path in prefix.rglob("*") if not path.is_symlink()}
    assert modes[program] == 0o755
    assert {mode for path, mode in modes.items() if path.is_file() and path != program} == {0o644}
    assert {mode for path, mode in modes.items() if path.is_dir()} == {0o755}


def test_the_packed_files_belong_to_root_and_match_their_checksums(prefix: Path, tmp_path: Path) -> None:
    root = prefix.parent
    (root / "DEBIAN").mkdir()
    (root / "DEBIAN" / "control").write_text(deb.render_control(PROJECT, CONTROL))
    (root / "DEBIAN" / "md5sums").write_text(deb.render_sums(root))
    deb.set_modes(root, {prefix / "lib" / PROJECT.name / PROJECT.name})
    package = tmp_path / "made-up.deb"
    deb.pack(root, package, "-Znone")
    listed = subprocess.run(["dpkg-deb", "--contents", str(package)], capture_output=True, text=True, check=True)
    assert {line.split()[1] for line in listed.stdout.splitlines()} == {"root/root"}
    control = subprocess.run(["dpkg-deb", "--ctrl-tarfile", str(package)], capture_output=True, check=True)
    members = subprocess.run(["tar", "-t"], input=control.stdout, capture_output=True, check=True)
    assert set(members.stdout.decode().split()) == {"./", "./control", "./md5sums"}  # no maintainer scripts
    extracted = tmp_path / "extracted"
    subprocess.run(["dpkg-deb", "--raw-extract", str(package), str(extracted)], check=True)
    summed = subprocess.run(["md5sum", "--check", "--strict", "--quiet", "DEBIAN/md5sums"], cwd=extracted)
    assert summed.returncode == 0


def test_needs_are_what_files_name_and_the_bundle_lacks() -> None:
    needs = parse_needs(OBJDUMP, own=["libown.so.1"])
    assert needs == Needs(frozenset({"libX11.so.6", "libc.so.6"}), (2, 34))


def test_libraries_are_mapped_to_packages_under_their_older_names() -> None:
    # Debian 13's package is libglib2.0-0t64, which provides the name of Debian 12.
    needs = Needs(frozenset({"libc.so.6", "libglib-2.0.so.0", "libX11.so.6", "libEGL.so.1"}), (2, 34))
    assert debian_packages(needs) == ["libc6 (>= 2.34)", "libegl1", "libglib2.0-0", "libx11-6"]


def test_folders_of_the_building_machine_leave_the_search_path(tmp_path: Path) -> None:
    source = Path(PySide6.__file__).with_name("QtCore.abi3.so")
    own, foreign = (Path(shutil.copy(source, tmp_path / name)) for name in ("own.so", "foreign.so"))
    subprocess.run(["chrpath", "--replace", "/home/somebody/lib", str(foreign)], check=True, capture_output=True)
    before = search_path(own)
    assert before.startswith("$ORIGIN")
    remove_search_paths(tmp_path)
    assert search_path(foreign) == ""
    assert search_path(own) == before


def search_path(library: Path) -> str:
    """Where a library searches for others."""
    dumped = subprocess.run(["objdump", "-p", str(library)], capture_output=True, text=True, check=True)
    return "".join(re.findall(r"R(?:UN)?PATH +(\S+)", dumped.stdout))


def test_a_library_of_no_package_stops_the_build(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(BuildFailed, match=r"libmade-up\.so\.9, which this system does not have"):
        find_library("libmade-up.so.9")
    monkeypatch.setattr(libraries, "find_library", lambda soname: tmp_path / soname)
    with pytest.raises(BuildFailed, match=f"no Debian package has {tmp_path}/libmade-up"):
        debian_packages(Needs(frozenset({"libmade-up.so.9"}), (2, 34)))


def test_the_trial_sees_changed_data_and_files_that_are_left(tmp_path: Path) -> None:
    home = tmp_path / "user"
    home.mkdir()
    (home / "settings.toml").write_text("a")
    before = contents(home)
    (home / "settings.toml").write_text("b")
    assert contents(home) != before
    (tmp_path / "usr").mkdir()
    os.symlink("nowhere", tmp_path / "usr" / "dangling")
    assert is_removed(tmp_path, Path("/usr"))
    assert is_removed(tmp_path, Path("/usr/file"))
    assert not is_removed(tmp_path, Path("/usr/dangling"))


def test_the_maintainers_address_is_one_of_the_homepage() -> None:
    project = replace(PROJECT, repository="https://code.example.org/people/made-up")
    assert re.fullmatch(rf"{PROJECT.authors} <noreply@code\.example\.org>", deb.maintainer(project))
