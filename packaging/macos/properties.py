"""Info.plist of the application for macOS."""

import re
import sysconfig
from collections.abc import Iterable
from importlib.metadata import distributions

from project import Project

WHEEL_TAG = re.compile(r"^Tag: .*-macosx_(\d+)_(\d+)_", re.MULTILINE)
ICON = "app.icns"


def describe_app(project: Project, minimum_system: str) -> dict[str, object]:
    """Entries of Info.plist, beside those that PyInstaller adds: executable, icon and kind of bundle."""
    return {
        "CFBundleDisplayName": project.title,
        "CFBundleIdentifier": project.app_id,
        "CFBundleName": project.title,
        "CFBundleShortVersionString": numeric_version(project.version),
        "CFBundleVersion": numeric_version(project.version),
        "LSApplicationCategoryType": "public.app-category.developer-tools",
        "LSBackgroundOnly": False,  # PyInstaller sets it for programs that can print, and then there is no window
        "LSMinimumSystemVersion": minimum_system,
        "LSUIElement": True,  # lives in the menu bar, not in the Dock
        "NSHighResolutionCapable": True,
        "NSHumanReadableCopyright": f"{project.authors}. {project.license} License.",
    }


def numeric_version(version: str) -> str:
    """The numbers of a version, which is all that macOS accepts: 1.2.0rc1 is 1.2.0."""
    found = re.match(r"\d+(\.\d+){0,2}", version)
    if found is None:
        raise ValueError(f"{version!r} does not begin with a number")
    return found[0]


def read_minimum_system() -> str:
    """The oldest macOS on which this interpreter and every package beside it run, such as `13.0`."""
    wheels = (found.read_text("WHEEL") or "" for found in distributions())
    return latest_system(wheels, sysconfig.get_config_var("MACOSX_DEPLOYMENT_TARGET"))


def latest_system(wheels: Iterable[str], interpreter: str | None) -> str:
    """The latest of the systems that `wheels`, the WHEEL files of packages, and the interpreter are built for.

    A wheel for several systems runs on the oldest of them.
    """
    tags = filter(None, (WHEEL_TAG.findall(text) for text in wheels))
    wanted = [min((int(major), int(minor)) for major, minor in found) for found in tags]
    if interpreter:
        major, _, minor = interpreter.partition(".")
        wanted.append((int(major), int(minor or 0)))
    if not wanted:
        raise ValueError("neither the interpreter nor any package is built for macOS")
    return "{}.{}".format(*max(wanted))
