"""The pictures can be drawn: one page of a window with a server that runs."""

import subprocess
import sys
from pathlib import Path

from PySide6.QtGui import QImage

ROOT = Path(__file__).parents[3]


def test_the_states_of_the_page_of_updates_are_drawn(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tests.tools.screenshots", "updates", "--theme", "dark", "--size", "narrow"]
    subprocess.run([*command, "--out", str(tmp_path)], cwd=ROOT, check=True, capture_output=True, timeout=280)
    drawn = {path.name for path in tmp_path.iterdir()}
    states = ("current", "available", "available-banner", "limited", "garbage", "nowhere")
    assert {f"updates-{state}-dark.png" for state in states} <= drawn
    picture = QImage(str(tmp_path / "updates-available-dark.png"))
    assert (picture.width(), picture.height()) == (760, 520)


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
