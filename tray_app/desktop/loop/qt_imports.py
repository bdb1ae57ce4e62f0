"""Prevention of PySide6's reading the source of every imported module.

PySide6 looks for modules that switch its naming of methods (`from __feature__ import snake_case`), of which this
program has none. Python's `linecache` keeps the sources for ever: 25 MB, and a third of the loading time.
"""

import importlib
import sys
from typing import Any

FEATURE_MODULE = "shibokensupport.feature"
"""The module of shiboken that does it. If a later version lacks it, there is nothing to prevent."""


def disable_source_reading() -> None:
    """Call this before PySide6 is imported. Raises the same ImportError."""
    importlib.import_module("shiboken6")
    features: Any = sys.modules.get(FEATURE_MODULE)
    if hasattr(features, "_mod_uses_pyside"):
        features._mod_uses_pyside = lambda module: False
