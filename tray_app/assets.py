"""The files that come with the application: icons, colours, the style sheet."""

from pathlib import Path

_PACKAGE = Path(__file__).parent
_PLACES = (_PACKAGE / "resources", _PACKAGE.parent / "resources")
"""In an installed package, and in a checkout."""


def asset_path(name: str) -> Path:
    """The file `name` of the resources, such as `icons/app.svg`. Raises FileNotFoundError: a broken installation."""
    for place in _PLACES:
        if (place / name).exists():
            return place / name
    raise FileNotFoundError(f"the installation lacks the resource {name}")
