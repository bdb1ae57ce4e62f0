"""Names of missing system packages on systems other than Debian."""

import shutil

import pytest

import dev
import system_packages
from system_packages import INSTALL, PACKAGES, UNNAMED, describe_missing, find_manager, find_missing, has_file
from tests.systems import posix_only


def test_every_package_that_dev_py_needs_has_a_file_to_look_for() -> None:
    assert set(dev.TEST_PACKAGES) - set(PACKAGES) - set(UNNAMED) == set()


def test_every_package_has_a_name_for_every_manager() -> None:
    for names in PACKAGES.values():
        assert all(getattr(names, manager) for manager in INSTALL)


@posix_only("the libraries of Linux")
def test_a_library_and_a_program_are_looked_for() -> None:
    assert not has_file("libno-such-library.so.7")
    assert not has_file("no-such-program")
    assert has_file("sh")


def test_packages_whose_file_is_missing_are_found() -> None:
    present = {"libGL.so.1", "Xvfb"}
    assert find_missing(["libgl1", "libegl1", "xvfb", "trayer", "unknown"], present.__contains__) == [
        "libegl1",
        "trayer",
    ]


@pytest.mark.parametrize(
    ("manager", "line"),
    [
        ("dnf", "sudo dnf install libglvnd-egl xcb-util-cursor"),
        ("pacman", "sudo pacman -S --needed libglvnd xcb-util-cursor"),
        ("zypper", "sudo zypper install Mesa-libEGL1 libxcb-cursor0"),
        ("apk", "sudo apk add mesa-egl xcb-util-cursor"),
    ],
)
def test_the_line_fits_the_package_manager(manager: str, line: str) -> None:
    assert find_manager({manager}.__contains__) == manager
    assert describe_missing(["libegl1", "libxcb-cursor0"], manager) == line


def test_a_package_that_several_need_is_named_once() -> None:
    assert describe_missing(["libgl1", "libegl1"], "pacman") == "sudo pacman -S --needed libglvnd"


def test_files_are_named_where_packages_are_not_known() -> None:
    assert find_manager(set().__contains__) is None
    told = describe_missing(["libegl1", "trayer"], None)
    assert "libEGL.so.1, trayer" in told
    assert "install" not in told
    told = describe_missing(["libegl1", "trayer"], "dnf")
    assert told.startswith("sudo dnf install libglvnd-egl\n")
    assert "files trayer" in told


@posix_only("a system without apt")
def test_a_system_without_apt_gets_its_own_line_and_installs_nothing(monkeypatch, capsys) -> None:
    monkeypatch.setattr(dev, "dpkg_listing", lambda: None)
    monkeypatch.setattr(dev.sys, "platform", "linux")
    monkeypatch.setattr(shutil, "which", lambda *_, **__: None)
    monkeypatch.setattr(system_packages, "find_missing", lambda wanted: list(wanted))
    monkeypatch.setattr(system_packages, "find_manager", lambda: "zypper")
    assert dev.provide_packages(["libegl1"], install=True) == ["libegl1"]
    assert "sudo zypper install Mesa-libEGL1" in capsys.readouterr().err
