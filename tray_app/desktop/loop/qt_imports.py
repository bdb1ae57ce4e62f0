"""Imports while Qt is loaded: nobody's source is read for them.

Once PySide6 is loaded, it reads the source of every module that is imported, and Python's `linecache` keeps it for
ever: 25 MB, and a third of the time that loading takes. It looks for the modules that might switch its naming of
methods (`from __feature__ import snake_case`), of which this program has none.
"""

import importlib
import sys
from typing import Any

FEATURES = "shibokensupport.feature"
"""What does it, a module of shiboken's. A later one may do without: then there is nothing to prevent."""


def read_no_sources() -> None:
    """Call it before PySide6 is imported. Raises ImportError as that would."""
    importlib.import_module("shiboken6")
    features: Any = sys.modules.get(FEATURES)
    if hasattr(features, "_mod_uses_pyside"):
        features._mod_uses_pyside = lambda module: False
