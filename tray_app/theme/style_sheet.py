"""The style sheet: `resources/style.qss` with the tokens filled in."""

from collections.abc import Mapping
from string import Template

from tray_app.assets import asset_path
from tray_app.theme.fonts import fixed_font
from tray_app.theme.tokens import tokens


def make_style_sheet(dark: bool) -> str:
    """Return the style sheet of one scheme. Raises KeyError for an unknown token."""
    template = Template(asset_path("style.qss").read_text(encoding="utf-8"))
    return template.substitute(_template_values(tokens().scheme(dark), dark))


def _template_values(colours: Mapping[str, str], dark: bool) -> dict[str, str]:
    sizes = {f"size_{name}": f"{pixels}px" for name, pixels in tokens().size.items()}
    images = {name: asset_path(f"icons/{file}.svg").as_posix() for name, file in _image_files(dark).items()}
    families = ", ".join(f'"{family}"' for family in fixed_font().families())
    return {**sizes, **images, **colours, "fixed": families}


def _image_files(dark: bool) -> dict[str, str]:
    return {
        "image_check": "check-dark" if dark else "check-light",
        "image_check_plain": "check-plain",
        "image_down": "chevron-down",
        "image_up": "chevron-up",
        "image_right": "chevron-right",
    }
