"""What the user does to get a new version, by the way the program was installed."""

from dataclasses import dataclass
from pathlib import Path

from packaging.version import Version

from server.config.own_commands import quote_command
from server.config.paths import APP_NAME
from tray_app.formatting import format_path
from tray_app.translation import tr
from tray_app.updates.install_method import InstallMethod, PythonPackage, follows_branch, is_git_repository


@dataclass(frozen=True, slots=True)
class Instructions:
    """How the program was installed, what to do, and the line to copy, if there is one."""

    installed: str
    todo: str
    line: str = ""


def describe_update(method: InstallMethod, version: Version, tag: str) -> Instructions:
    """Describe the update of an installation to `version`, which has the tag `tag`. Reads files of a checkout."""
    if method.package is not None:
        return _describe_package(method.package, version, tag)
    path = format_path(method.path)
    match method.kind:
        case "checkout":
            return _describe_checkout(method.path, tag)
        case "flatpak":
            return Instructions(
                tr("Installed as a Flatpak."), tr("Run this in a terminal:"), f"flatpak update {method.name}"
            )
        case "deb":
            return Instructions(
                tr("Installed as the Debian package {name}.").format(name=method.name),
                tr(
                    "If it came from a package source, your system's updates bring the new version. Otherwise download "
                    "the .deb from the release page and run this in its folder:"
                ),
                f"sudo apt install ./{method.name}_{version.base_version}*.deb",
            )
        case "appimage":
            return Instructions(
                tr("Installed as an AppImage: {path}").format(path=path),
                tr("Quit Dragoman, and replace this file with the AppImage from the release page."),
            )
        case "windows_installer":
            return Instructions(
                tr("Installed with the installer for Windows."),
                tr("Download the installer from the release page and run it. Your settings and history stay."),
            )
        case "macos_app":
            return Instructions(
                tr("Installed as an application: {path}").format(path=path),
                tr("Quit Dragoman, and replace it with the one in the disk image from the release page."),
            )
        case _:
            return Instructions(
                tr("Runs from the folder {path}").format(path=path),
                tr("Quit Dragoman, and replace this folder with the one in the archive from the release page."),
            )


def _describe_checkout(folder: Path, tag: str) -> Instructions:
    installed = tr("Runs from source, in {path}").format(path=format_path(folder))
    if not is_git_repository(folder):
        return Instructions(
            installed, tr("Download the source from the release page, and unpack it in place of this folder.")
        )
    git = ["git", "-C", str(folder)]
    if follows_branch(folder):
        return Instructions(installed, tr("Run this, then start Dragoman again:"), quote_command([*git, "pull"]))
    line = f"{quote_command([*git, 'fetch', '--tags'])} && {quote_command([*git, 'checkout', tag])}"
    return Instructions(installed, tr("Run this, then start Dragoman again:"), line)


INSTALLERS = {"pip": "pip", "uv": "uv", "pipx": "pipx", "uv_tool": "uv tool", "uvx": "uvx"}


def _describe_package(package: PythonPackage, version: Version, tag: str) -> Instructions:
    environment = format_path(package.python)
    if package.installer == "other":
        return Instructions(
            tr("Installed as a Python package, for {python}").format(python=environment),
            tr("Update it with the program that installed it."),
        )
    installer = INSTALLERS[package.installer]
    installed = tr("Installed with {installer}, for {python}").format(installer=installer, python=environment)
    todo = tr("Quit Dragoman, and run this:")
    extras = f"[{','.join(package.extras)}]" if package.extras else ""
    match package.origin:
        case "index":
            return Instructions(installed, todo, quote_command(_upgrade(package, f"{APP_NAME}{extras}")))
        case "git":
            requirement = f"{APP_NAME}{extras} @ git+{package.source}@{tag}"
            return Instructions(installed, todo, quote_command(_reinstall(package, requirement)))
        case "folder":
            return _describe_source(package, installed, extras)
        case _:
            wheel = f"./{APP_NAME}-{version}-py3-none-any.whl{extras}"
            return Instructions(
                installed,
                tr("Download the wheel from the release page, quit Dragoman, and run this in its folder:"),
                quote_command(_reinstall(package, wheel)),
            )


def _describe_source(package: PythonPackage, installed: str, extras: str) -> Instructions:
    folder = Path(package.source)
    install = quote_command(_reinstall(package, f"{folder}{extras}"))
    if is_git_repository(folder) and follows_branch(folder):
        pull = quote_command(["git", "-C", str(folder), "pull"])
        return Instructions(installed, tr("Quit Dragoman, and run this:"), f"{pull} && {install}")
    return Instructions(
        installed,
        tr("Put the new source into {path}, quit Dragoman, and run this:").format(path=format_path(folder)),
        install,
    )


def _upgrade(package: PythonPackage, requirement: str) -> list[str]:
    """The command that gets the newest version from the index."""
    match package.installer:
        case "pipx":
            return ["pipx", "upgrade", package.name]
        case "uv_tool":
            return ["uv", "tool", "upgrade", package.name]
        case "uvx":
            return ["uvx", "--refresh", "--from", requirement, APP_NAME]
        case "uv":
            return ["uv", "pip", "install", "--python", str(package.python), "--upgrade", requirement]
        case _:
            return [str(package.python), "-m", "pip", "install", "--upgrade", requirement]


def _reinstall(package: PythonPackage, requirement: str) -> list[str]:
    """The command that installs another file, folder or revision: an upgrade would take the recorded one again."""
    match package.installer:
        case "pipx":
            return ["pipx", "install", "--force", requirement]
        case "uv_tool":
            return ["uv", "tool", "install", "--force", requirement]
        case _:
            return _upgrade(package, requirement)
