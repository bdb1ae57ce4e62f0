"""Resource files of the application: icons, colours, the style sheet."""

from pathlib import Path

_PACKAGE = Path(__file__).parent
_DIRECTORIES = (_PACKAGE / "resources", _PACKAGE.parent / "resources")
"""In an installed package, and in a checkout."""


def asset_path(name: str) -> Path:
    """Path of the resource `name`, such as `icons/app.svg`. Raises FileNotFoundError if the installation is broken."""
    for directory in _DIRECTORIES:
        if (directory / name).exists():
            return directory / name
    raise FileNotFoundError(f"the installation lacks the resource {name}")
