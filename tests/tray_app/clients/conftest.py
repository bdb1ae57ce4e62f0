"""A connection, and the paths of a temporary computer."""

from pathlib import Path

import pytest

from tray_app.clients.backups import Backups
from tray_app.clients.client import Places
from tray_app.clients.connection import Connection


@pytest.fixture
def connection() -> Connection:
    return Connection("http://127.0.0.1:8000", "dgm-the-key", "sonnet")


@pytest.fixture
def places(made_home: Path) -> Places:
    """Nothing is installed there."""
    return Places(made_home, {"PATH": str(made_home / "empty")}, "linux")


@pytest.fixture
def backups(tmp_path: Path) -> Backups:
    return Backups(tmp_path / "backups")
