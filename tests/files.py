"""What is on the disk, while processes may still be at work there."""

import os
from collections.abc import Iterator
from pathlib import Path


def files_below(folder: Path) -> Iterator[tuple[Path, bytes]]:
    """Every file below a folder, with what it holds; without those that go away meanwhile."""
    for place, _, names in os.walk(folder):
        for path in (Path(place, name) for name in names):
            try:
                held = path.read_bytes() if path.is_file() else None
            except FileNotFoundError:
                continue
            if held is not None:
                yield path, held
