"""The pictures can be drawn: one page of a window with a server that runs."""

import subprocess
import sys
from pathlib import Path

from PySide6.QtGui import QImage

ROOT = Path(__file__).parents[3]


def test_a_page_is_drawn(tmp_path: Path) -> None:
    command = [
        sys.executable,
        "-m",
        "tests.tools.screenshots",
        "clients",
        "--empty",
        "--theme",
        "dark",
        "--out",
        str(tmp_path / "pictures"),
    ]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True, timeout=120)
    (drawn,) = (tmp_path / "pictures").iterdir()
    assert drawn.name == "clients-dark.png"
    picture = QImage(str(drawn))
    assert (picture.width(), picture.height()) == (1120, 720)
    colours = {picture.pixel(x, y) for x in range(0, 1120, 3) for y in range(0, 720, 3)}
    assert len(colours) > 20
