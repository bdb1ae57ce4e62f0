"""Small PNGs: 256 colours are enough for a window, and take a third of the room."""

from pathlib import Path
from typing import Any

import numpy as np
from PySide6.QtGui import QImage

COLOURS = 256

Array = np.ndarray[Any, np.dtype[Any]]


def save_png(image: QImage, path: Path) -> None:
    """Write `image` with the colours that say most of it; each of the others becomes the nearest of them."""
    pixels = _pixels(image)
    colours, places, counts = np.unique(pixels, return_inverse=True, return_counts=True)
    kept, nearest = _palette(_channels(colours), counts)
    indices = nearest[places].reshape(pixels.shape)
    made = QImage(indices.tobytes(), image.width(), image.height(), image.width(), QImage.Format.Format_Indexed8)
    made.setColorTable([int(colours[place]) for place in kept])
    made.save(str(path), quality=0)


def _palette(colours: Array, counts: Array) -> tuple[list[int], Array]:
    """Choose the palette, and map each colour to the index of its nearest entry.

    One after the other, the colour that would be missed most is kept: how rare it is counts less than how far it is
    from the others, so that the one red word of a picture stays red.
    """
    kept = [int(counts.argmax())]
    distances, nearest = _distances(colours, kept[0]), np.zeros(len(colours), np.uint8)
    while len(kept) < min(COLOURS, len(colours)):
        missed = int((distances * np.sqrt(counts)).argmax())
        closer = _distances(colours, missed) < distances
        distances[closer] = _distances(colours, missed)[closer]
        nearest[closer] = len(kept)
        kept.append(missed)
    return kept, nearest


def _distances(colours: Array, place: int) -> Array:
    squares: Array = ((colours - colours[place]) ** 2).sum(axis=1)
    return squares


def _pixels(image: QImage) -> Array:
    opaque = image.convertToFormat(QImage.Format.Format_RGB32)
    return np.frombuffer(opaque.constBits(), dtype=np.uint32).reshape(opaque.height(), opaque.width()).copy()


def _channels(colours: Array) -> Array:
    return np.stack([(colours >> shift) & 255 for shift in (16, 8, 0)], axis=1).astype(np.int64)
