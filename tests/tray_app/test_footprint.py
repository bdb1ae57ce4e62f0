"""What the whole application has loaded once every page was seen: each of these took megabytes, and can do so again."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.tools.bench.desktop import PAGES, THEMES
from tests.tools.bench.scene import Listening, set_up

UNWANTED = {
    "numpy": "29 MB with a plotting library",
    "pyqtgraph": "29 MB with numpy",
    "qtawesome": "10 MB with qtpy: only its files are used",
    "qtpy": "it makes every class of Qt's that it knows",
    "PySide6.QtOpenGL": "5 MB",
    "PySide6.QtOpenGLWidgets": "it comes with OpenGL",
    "PySide6.QtTest": "it is for tests",
    "openai": "its types alone are some 30 MB",
    "anthropic": "its types alone are some 30 MB",
}
MOST_SOURCES = 20
"""So many files' sources may be kept, for traces in the log; PySide6 kept those of all modules, 25 MB."""


@pytest.fixture
def application(cli_path: Path, tmp_path: Path) -> Iterator[Listening]:
    """The real one, with the real Claude Code and the simulator."""
    with set_up(cli_path, tmp_path) as scene, scene.server_process(window=True, driven=True) as running:
        yield running


def test_all_pages_in_light_and_dark_load_nothing_big(application: Listening) -> None:
    for theme in THEMES:
        assert application.tell(theme) == [theme]
        for page in PAGES:
            assert application.tell(page) == [page]
    loaded, sources = application.tell("modules")

    assert {f"tray_app.pages.{page}.page" for page in PAGES} <= set(loaded)
    assert not UNWANTED.keys() & set(loaded)
    assert sources <= MOST_SOURCES
