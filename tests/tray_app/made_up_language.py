"""A language in which each text of the application stands in ⟦brackets⟧, made as a translator would make one."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from xml.etree import ElementTree

from PySide6.QtCore import QCoreApplication, QTranslator

from tests.tools.translatable import as_ts

ONE_PLURAL_FORM = "ja"
LRELEASE = "import sys; from PySide6.scripts.pyside_tool import lrelease; sys.exit(lrelease())"


@contextmanager
def made_up_language(folder: Path) -> Iterator[None]:
    """Install it, and take it away at the end."""
    translator = QTranslator()
    assert translator.load(str(_compiled(folder)))
    QCoreApplication.installTranslator(translator)
    try:
        yield
    finally:
        QCoreApplication.removeTranslator(translator)


def _compiled(folder: Path) -> Path:
    source, compiled = folder / "made_up.ts", folder / "made_up.qm"
    root = as_ts()
    root.set("language", ONE_PLURAL_FORM)
    for message in root.iter("message"):
        translation = next(message.iter("translation"))
        translation.attrib.clear()
        next(translation.iter("numerusform"), translation).text = f"⟦{message.findtext('source')}⟧"
    ElementTree.ElementTree(root).write(source, encoding="utf-8")
    subprocess.run([sys.executable, "-c", LRELEASE, str(source), "-qm", str(compiled)], check=True, capture_output=True)
    return compiled
