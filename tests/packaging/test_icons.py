"""Icons of packages: every size is there, and shows the picture."""

from pathlib import Path

import icons
import pytest
from PIL import Image
from PIL.IcnsImagePlugin import IcnsImageFile
from PIL.IcoImagePlugin import IcoImageFile


def is_icon(picture: Image.Image, size: int) -> bool:
    """Whether it is the bubble: its size, clear corners, and two colours or more in between."""
    assert picture.size == (size, size)
    corners = [picture.getpixel((x, y)) for x in (0, size - 1) for y in (0, size - 1)]
    assert all(isinstance(corner, tuple) and corner[3] == 0 for corner in corners)
    return len(picture.getcolors(size * size) or []) > 2


def test_an_icon_of_windows_holds_every_size(tmp_path: Path) -> None:
    with Image.open(icons.write_ico(tmp_path / "app.ico")) as file:
        assert isinstance(file, IcoImageFile)
        assert file.ico.sizes() == {(size, size) for size in icons.ICO_SIZES}
        assert all(is_icon(file.ico.getimage((size, size)).convert("RGBA"), size) for size in icons.ICO_SIZES)


def test_an_icon_of_macos_holds_every_size(tmp_path: Path) -> None:
    with Image.open(icons.write_icns(tmp_path / "app.icns")) as file:
        assert isinstance(file, IcnsImageFile)
        sizes = {(width * scale, height * scale) for width, height, scale in file.info["sizes"]}
        assert sizes == {(size, size) for size in icons.ICNS_SIZES}


def test_small_sizes_are_drawn_from_the_picture(tmp_path: Path) -> None:
    with Image.open(icons.write_ico(tmp_path / "app.ico")) as file:
        assert isinstance(file, IcoImageFile)
        small = file.ico.getimage((16, 16)).convert("RGBA")
        scaled = file.ico.getimage((256, 256)).convert("RGBA").resize((16, 16))
    assert small.tobytes() != scaled.tobytes()


def test_a_picture_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    svg = tmp_path / "broken.svg"
    svg.write_text("<svg")
    with pytest.raises(ValueError, match=r"broken\.svg is no SVG"):
        icons.write_ico(tmp_path / "app.ico", svg)
