"""The line that updates an installation, and that it does where it can be run here."""

import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from packaging.version import Version

from tray_app.updates.install_method import Installer, InstallMethod, Kind, Origin, PythonPackage, find_install_method
from tray_app.updates.instructions import Instructions, describe_update

ROOT = Path(__file__).parents[3]
PYTHON = Path("/v/bin/python")
posix = pytest.mark.skipif(sys.platform == "win32", reason="the lines are quoted for another shell")


def described(
    installer: Installer, origin: Origin, source: str = "", extras: tuple[str, ...] = ("tray",), name: str = "dragoman"
) -> Instructions:
    package = PythonPackage(installer, origin, PYTHON, source, extras, name)
    return describe_update(InstallMethod("package", Path("/v"), package=package), Version("0.2.0"), "v0.2.0")


@posix
@pytest.mark.parametrize(
    ("installer", "line"),
    [
        ("pip", "/v/bin/python -m pip install --upgrade 'dragoman[tray]'"),
        ("uv", "uv pip install --python /v/bin/python --upgrade 'dragoman[tray]'"),
        ("pipx", "pipx upgrade dragoman"),
        ("uv_tool", "uv tool upgrade dragoman"),
        ("uvx", "uvx --refresh --from 'dragoman[tray]' dragoman"),
        ("other", ""),
    ],
)
def test_a_package_from_an_index(installer: Installer, line: str) -> None:
    instructions = described(installer, "index")
    assert instructions.line == line
    assert "/v/bin/python" in instructions.installed
    assert instructions.todo


@posix
def test_the_name_that_the_installer_knows() -> None:
    assert described("pipx", "index", name="dragoman-next").line == "pipx upgrade dragoman-next"
    assert described("pip", "index", extras=()).line.endswith(" --upgrade dragoman")
    assert described("pip", "index", extras=("bundled-cli", "tray")).line.endswith("'dragoman[bundled-cli,tray]'")


@posix
@pytest.mark.parametrize(
    ("installer", "begin"),
    [
        ("pip", "/v/bin/python -m pip install --upgrade "),
        ("pipx", "pipx install --force "),
        ("uv_tool", "uv tool install --force "),
    ],
)
def test_a_package_that_no_index_has_is_installed_again(installer: Installer, begin: str) -> None:
    # An upgrade would take the recorded revision, folder or file again.
    from_git = described(installer, "git", "https://github.com/o/n").line
    assert from_git == f"{begin}'dragoman[tray] @ git+https://github.com/o/n@v0.2.0'"
    assert described(installer, "file", "file:///w.whl").line == f"{begin}'./dragoman-0.2.0-py3-none-any.whl[tray]'"
    assert described(installer, "folder", "/no/clone").line == f"{begin}'/no/clone[tray]'"


@posix
@pytest.mark.parametrize(
    ("kind", "path", "line", "word"),
    [
        ("deb", "/usr/lib/dragoman/dragoman", "sudo apt install ./dragoman_0.2.0*.deb", "system's updates"),
        ("flatpak", "/app/bin/dragoman", "flatpak update dragoman", "terminal"),
        ("appimage", "/home/ada/D.AppImage", "", "replace this file"),
        ("windows_installer", "C:/D", "", "Download the installer"),
        ("windows_folder", "C:/D", "", "replace this folder"),
        ("macos_app", "/Applications/Dragoman.app", "", "disk image"),
        ("folder", "/opt/dragoman", "", "replace this folder"),
        ("checkout", "/no/clone", "", "Download the source"),
    ],
)
def test_other_installations(kind: Kind, path: str, line: str, word: str) -> None:
    instructions = describe_update(InstallMethod(kind, Path(path)), Version("0.2.0"), "v0.2.0")
    assert instructions.line == line
    assert word in instructions.todo
    assert instructions.installed


def test_a_prerelease_of_the_debian_package() -> None:
    # Its file is dragoman_0.2.0~rc1_amd64.deb.
    instructions = describe_update(InstallMethod("deb", Path("/d")), Version("0.2.0rc1"), "v0.2.0rc1")
    assert instructions.line == "sudo apt install ./dragoman_0.2.0*.deb"


def git(folder: Path, *words: str) -> str:
    who = ("-c", "user.name=Ada", "-c", "user.email=ada@example.com", "-c", "init.defaultBranch=main")
    return subprocess.run(["git", *who, "-C", folder, *words], capture_output=True, text=True, check=True).stdout


@pytest.fixture
def upstream(tmp_path: Path) -> Path:
    """A repository with the tags v0.1.0 and, after it, v0.2.0."""
    folder = tmp_path / "upstream"
    folder.mkdir()
    git(folder, "init", "-q")
    release(folder, "0.1.0")
    return folder


def release(folder: Path, version: str) -> None:
    (folder / "VERSION").write_text(version)
    git(folder, "add", ".")
    git(folder, "commit", "-qm", version)
    git(folder, "tag", f"v{version}")


@posix
@pytest.mark.parametrize("at", ["main", "v0.1.0"])
def test_the_line_for_a_checkout_updates_it(tmp_path: Path, upstream: Path, at: str) -> None:
    clone = tmp_path / "a clone"
    subprocess.run(["git", "clone", "-q", str(upstream), str(clone)], check=True, capture_output=True)
    git(clone, "checkout", "-q", at)
    release(upstream, "0.2.0")
    instructions = describe_update(InstallMethod("checkout", clone), Version("0.2.0"), "v0.2.0")
    subprocess.run(instructions.line, shell=True, check=True, capture_output=True)  # noqa: S602 - as a user does
    assert (clone / "VERSION").read_text() == "0.2.0"


@posix
def test_a_folder_that_pip_took_is_pulled_first(tmp_path: Path, upstream: Path) -> None:
    clone = tmp_path / "clone"
    subprocess.run(["git", "clone", "-q", str(upstream), str(clone)], check=True, capture_output=True)
    pull, _, install = described("pip", "folder", str(clone)).line.partition(" && ")
    assert shlex.split(pull) == ["git", "-C", str(clone), "pull"]
    assert shlex.split(install) == [str(PYTHON), "-m", "pip", "install", "--upgrade", f"{clone}[tray]"]


PROJECT = """\
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"
[project]
name = "dragoman"
version = "{version}"
[project.optional-dependencies]
tray = ["packaging"]
[tool.hatch.build.targets.wheel]
bypass-selection = true
"""


@posix
def test_the_line_for_pip_updates_the_package(tmp_path: Path) -> None:
    index = tmp_path / "index"
    for version in ("0.1.0", "0.2.0"):
        source = tmp_path / version
        source.mkdir()
        (source / "pyproject.toml").write_text(PROJECT.format(version=version))
        build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(index)]
        subprocess.run(build, cwd=source, check=True, capture_output=True)
    venv = tmp_path / "a venv"
    subprocess.run([sys.executable, "-m", "venv", str(venv)], check=True, capture_output=True)
    python = venv / "bin" / "python"
    offline = {**os.environ, "PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(index), "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    # The extra's package is found behind the environment's own, as one that is installed.
    (next(venv.glob("lib/python*/site-packages")) / "others.pth").write_text(
        "\n".join(path for path in sys.path if "site-packages" in path)
    )
    install = [str(python), "-m", "pip", "install", "--no-deps", "--ignore-installed", "dragoman==0.1.0"]
    subprocess.run(install, env=offline, check=True, capture_output=True)
    package = PythonPackage("pip", "index", python, extras=("tray",))
    instructions = describe_update(InstallMethod("package", venv, package=package), Version("0.2.0"), "v0.2.0")
    subprocess.run(instructions.line, shell=True, env=offline, check=True, capture_output=True)  # noqa: S602
    shown = subprocess.run([str(python), "-m", "pip", "show", "dragoman"], capture_output=True, text=True, check=True)
    assert "Version: 0.2.0" in shown.stdout


def test_this_checkout_has_instructions() -> None:
    instructions = describe_update(find_install_method(), Version("0.2.0"), "v0.2.0")
    assert "source" in instructions.installed
    assert bool(instructions.line) == (ROOT / ".git").exists()
