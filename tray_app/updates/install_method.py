"""How this program was installed, found in the files of the installation. Without Qt."""

import configparser
import importlib.metadata
import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit
from urllib.request import url2pathname

from packaging.markers import default_environment
from packaging.requirements import Requirement

from server.config.own_commands import CHECKOUT, Installation, app_image, this_installation
from server.config.paths import APP_NAME

Kind = Literal[
    "checkout", "flatpak", "appimage", "deb", "windows_installer", "windows_folder", "macos_app", "folder", "package"
]
Installer = Literal["pip", "uv", "pipx", "uv_tool", "uvx", "other"]
Origin = Literal["index", "git", "file", "folder"]


@dataclass(frozen=True, slots=True)
class PythonPackage:
    """A package in a Python environment.

    `origin` is where it came from: an index such as PyPI, a Git repository, a file, or a folder with the source;
    `source` is the address or path of the last three. `name` is what the installer calls it, `python` the
    environment's interpreter.
    """

    installer: Installer
    origin: Origin
    python: Path
    source: str = ""
    extras: tuple[str, ...] = ()
    name: str = APP_NAME


@dataclass(frozen=True, slots=True)
class InstallMethod:
    """How the program was installed.

    `path` is the checkout, the AppImage, the .app, the folder of a bundle or of an environment. `name` is the
    Flatpak's id or the Debian package's name.
    """

    kind: Kind
    path: Path
    name: str = APP_NAME
    package: PythonPackage | None = None


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What is looked at. `root` is the root of the file system, `checkout` a folder that may have `dev.py`."""

    installation: Installation = field(default_factory=this_installation)
    prefix: Path = field(default_factory=lambda: Path(sys.prefix))
    checkout: Path = CHECKOUT
    root: Path = Path("/")


def find_install_method(around: Surroundings | None = None) -> InstallMethod:
    """Find out how the program that runs was installed. Reads files, so call it in a thread."""
    around = around or Surroundings()
    installation = around.installation
    program = installation.executable
    if (flatpak := _flatpak_id(around.root)) is not None:
        return InstallMethod("flatpak", program, flatpak)
    if image := app_image(installation):
        return InstallMethod("appimage", Path(image))
    if not installation.frozen and (around.checkout / "dev.py").is_file():
        return InstallMethod("checkout", around.checkout)
    own_file = program if installation.frozen else Path(__file__)
    if (package := _debian_package(around.root, own_file)) is not None:
        return InstallMethod("deb", own_file, package)
    if installation.frozen:
        return _bundle_method(installation)
    return InstallMethod("package", around.prefix, package=_python_package(around))


def is_git_repository(folder: Path) -> bool:
    """Whether `folder` is a clone or a work tree of Git."""
    return (folder / ".git").exists()


def follows_branch(folder: Path) -> bool:
    """Whether the Git clone in `folder` is on a branch, rather than on a tag or a commit."""
    git = folder / ".git"
    try:
        if git.is_file():  # a work tree: a file that names the folder
            git = folder / git.read_text(encoding="utf-8").partition("gitdir:")[2].strip()
        return (git / "HEAD").read_text(encoding="utf-8").startswith("ref:")
    except (OSError, ValueError):
        return False


def _bundle_method(installation: Installation) -> InstallMethod:
    folder = installation.executable.parent
    if installation.platform == "darwin":
        app = next((parent for parent in folder.parents if parent.suffix == ".app"), None)
        return InstallMethod("macos_app", app) if app else InstallMethod("folder", folder)
    if installation.platform == "win32":
        # Only the installer leaves one.
        installed = any(path.name.lower().startswith("unins") for path in folder.glob("*.exe"))
        return InstallMethod("windows_installer" if installed else "windows_folder", folder)
    return InstallMethod("folder", folder)


def _flatpak_id(root: Path) -> str | None:
    """The application's id, from the file that Flatpak puts into every sandbox; None outside one."""
    parser = configparser.ConfigParser(interpolation=None)
    try:
        parser.read_string((root / ".flatpak-info").read_text(encoding="utf-8"))
        return parser["Application"]["name"]
    except (OSError, ValueError, KeyError, configparser.Error):
        return None


def _debian_package(root: Path, file: Path) -> str | None:
    """The Debian package that `file` belongs to, or None. dpkg lists each package's files in a file of its own."""
    wanted = {str(file), str(file.resolve())}
    for listing in sorted((root / "var/lib/dpkg/info").glob(f"*{APP_NAME}*.list")):
        try:
            with listing.open(encoding="utf-8") as lines:
                if any(line.rstrip("\n") in wanted for line in lines):
                    return listing.name.removesuffix(".list").partition(":")[0]
        except (OSError, ValueError):
            continue
    return None


def _python_package(around: Surroundings) -> PythonPackage:
    python = around.installation.executable
    try:
        distribution = importlib.metadata.distribution(APP_NAME)
    except importlib.metadata.PackageNotFoundError:
        return PythonPackage("other", "folder", python, str(Path(__file__).parents[2]))
    origin, source = _package_origin(distribution)
    installer, name = _package_installer(distribution, around.prefix)
    return PythonPackage(installer, origin, python, source, tuple(_installed_extras(distribution)), name)


def _package_origin(distribution: importlib.metadata.Distribution) -> tuple[Origin, str]:
    """Where it was installed from: https://packaging.python.org/en/latest/specifications/direct-url/"""
    recorded = _parse_json(distribution.read_text("direct_url.json"))
    url = str(recorded.get("url", ""))
    if not url:
        return "index", ""
    if "vcs_info" in recorded:
        return "git", url
    if "dir_info" in recorded:
        return "folder", url2pathname(urlsplit(url).path)
    return "file", url


def _package_installer(distribution: importlib.metadata.Distribution, prefix: Path) -> tuple[Installer, str]:
    if (prefix / "pipx_metadata.json").is_file():
        return "pipx", prefix.name
    if (prefix / "uv-receipt.toml").is_file():
        return "uv_tool", prefix.name
    recorded = (distribution.read_text("INSTALLER") or "").strip()
    # `uvx` runs programs from environments in uv's cache: archive-v0/ID or environments-v2/ID.
    in_cache = (prefix.parents[1] / "CACHEDIR.TAG").is_file() if len(prefix.parents) > 1 else False
    if recorded == "uv" and in_cache and prefix.parent.name.startswith(("archive-v", "environments-v")):
        return "uvx", APP_NAME
    return ("pip" if recorded == "pip" else "uv" if recorded == "uv" else "other"), APP_NAME


def _installed_extras(distribution: importlib.metadata.Distribution) -> Iterator[str]:
    """The extras of which everything is installed: an update without them would leave their packages behind."""
    requirements = [Requirement(text) for text in distribution.requires or ()]
    for extra in sorted(distribution.metadata.get_all("Provides-Extra") or ()):
        environment = {**default_environment(), "extra": extra}
        wanted = [
            entry.name
            for entry in requirements
            if entry.marker is not None and entry.marker.evaluate(environment) and "extra" in str(entry.marker)
        ]
        if wanted and all(_is_installed(name) for name in wanted):
            yield extra


def _is_installed(name: str) -> bool:
    try:
        importlib.metadata.distribution(name)
    except importlib.metadata.PackageNotFoundError:
        return False
    return True


def _parse_json(text: str | None) -> dict[str, Any]:
    try:
        parsed = json.loads(text or "")
    except ValueError:
        return {}
    return parsed if isinstance(parsed, dict) else {}
