"""Icons of packages, rendered from the pictures in resources/: each size is drawn from the SVG, none is scaled."""

import io
from collections.abc import Sequence
from pathlib import Path

from project import ROOT

APP_ICON = ROOT / "resources" / "icons" / "app.svg"
ICO_SIZES = (16, 20, 24, 32, 40, 48, 64, 128, 256)
"""Sizes that Windows shows at scales of 100 to 250 %. A file of this format holds no larger one."""
ICNS_SIZES = (32, 64, 128, 256, 512, 1024)


def render_png(svg: Path, size: int) -> bytes:
    """Render an SVG as a square PNG. Raises ValueError if it cannot be read."""
    # Recipes without icons need no Qt.
    from PySide6.QtCore import QBuffer, QByteArray, QIODevice
    from PySide6.QtGui import QImage, QImageWriter, QPainter
    from PySide6.QtSvg import QSvgRenderer

    renderer = QSvgRenderer(str(svg))
    if not renderer.isValid():
        raise ValueError(f"{svg} is no SVG that Qt can draw")
    image = QImage(size, size, QImage.Format.Format_ARGB32_Premultiplied)
    image.fill(0)
    painter = QPainter(image)
    renderer.render(painter)
    painter.end()
    buffer = QBuffer()
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    QImageWriter(buffer, QByteArray(b"png")).write(image)
    return bytes(buffer.data().data())


def write_ico(path: Path, svg: Path = APP_ICON) -> Path:
    """Write an icon file of Windows. Returns its path."""
    return _write(path, "ICO", svg, ICO_SIZES)


def write_icns(path: Path, svg: Path = APP_ICON) -> Path:
    """Write an icon file of macOS. Returns its path."""
    return _write(path, "ICNS", svg, ICNS_SIZES)


def _write(path: Path, kind: str, svg: Path, sizes: Sequence[int]) -> Path:
    from PIL import Image

    pictures = [Image.open(io.BytesIO(render_png(svg, size))) for size in sizes]
    # The largest comes first: Pillow takes sizes that are missing among the others from it.
    pictures[-1].save(path, kind, sizes=[(size, size) for size in sizes], append_images=pictures[:-1])
    return path
