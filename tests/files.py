"""Reading files while processes may still change them."""

import os
from collections.abc import Iterator
from pathlib import Path


def files_below(folder: Path) -> Iterator[tuple[Path, bytes]]:
    """Read every file below a folder, skipping those that disappear in between."""
    for place, _, names in os.walk(folder):
        for path in (Path(place, name) for name in names):
            try:
                held = path.read_bytes() if path.is_file() else None
            except FileNotFoundError:
                continue
            if held is not None:
                yield path, held
