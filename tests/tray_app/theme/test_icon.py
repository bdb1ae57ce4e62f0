"""Icons come from one font, and bring nothing along that they do not need."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]


def test_icons_load_nothing_of_qts_that_they_do_not_need() -> None:
    program = (
        "import sys; from PySide6.QtWidgets import QApplication; from tray_app.theme import Theme;"
        "app = QApplication([]); theme = Theme('light'); theme.icon('mdi6.server').pixmap(16, 16);"
        "print([name for name in sys.modules if 'OpenGL' in name])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.strip() == "[]"
