"""System libraries that Qt needs, and a hint. Does not import Qt."""

import re

from server.config.own_commands import own_command

PACKAGES = (
    "libgl1", "libegl1", "libxkbcommon0", "libglib2.0-0", "libfontconfig1", "libdbus-1-3", "libgssapi-krb5-2",
    "libxcb-cursor0", "libxkbcommon-x11-0", "libxcb-icccm4", "libxcb-keysyms1", "libxcb-shape0",
)  # fmt: skip
"""Packages of Debian and Ubuntu; other systems have similar names."""

_LIBRARY = re.compile(r"^(?P<name>lib\S+?): cannot open shared object file")


def missing_libraries_hint() -> str:
    """Advice for a system on which the window cannot be shown."""
    return (
        f"Without a window: `{own_command('serve')}`. If libraries are missing, Debian and Ubuntu have them in "
        f"`sudo apt install {' '.join(PACKAGES)}`."
    )


def missing_library(error: ImportError) -> str | None:
    """The system library whose absence caused `error`; None for any other cause."""
    found = _LIBRARY.match(str(error))
    return found["name"] if found else None
