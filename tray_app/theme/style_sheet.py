"""The style sheet: `resources/style.qss` with the tokens filled in."""

from collections.abc import Mapping
from string import Template

from tray_app.assets import asset_path
from tray_app.theme.fonts import fixed_font
from tray_app.theme.tokens import tokens


def style_sheet(dark: bool) -> str:
    """The style sheet of one scheme. Raises KeyError for a token that the template names and the file lacks."""
    template = Template(asset_path("style.qss").read_text(encoding="utf-8"))
    return template.substitute(_values(tokens().scheme(dark), dark))


def _values(colours: Mapping[str, str], dark: bool) -> dict[str, str]:
    values = {name: str(pixels) + "px" for name, pixels in tokens().size.items()}
    images = {name: asset_path(f"icons/{file}.svg").as_posix() for name, file in _images(dark).items()}
    return {f"size_{name}": value for name, value in values.items()} | images | dict(colours) | {"fixed": _fixed()}


def _images(dark: bool) -> dict[str, str]:
    return {
        "image_check": "check-dark" if dark else "check-light",
        "image_check_plain": "check-plain",
        "image_down": "chevron-down",
        "image_up": "chevron-up",
        "image_right": "chevron-right",
    }


def _fixed() -> str:
    return ", ".join(f'"{family}"' for family in fixed_font().families())
