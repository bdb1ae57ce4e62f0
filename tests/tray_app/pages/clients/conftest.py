"""The Clients page over a made home directory."""

from collections.abc import Callable
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from tray_app.clients.client import Places
from tray_app.context import Context
from tray_app.pages.clients import ClientsPage
from tray_app.pages.clients.client_scan import ClientScan


@pytest.fixture
def places(made_home: Path) -> Places:
    return Places(made_home, {"PATH": str(made_home / "empty")}, "linux")


@pytest.fixture
def continue_file(made_home: Path) -> Path:
    """Continue's file with settings of the user's own."""
    path = made_home / ".continue" / "config.yaml"
    path.parent.mkdir(parents=True)
    path.write_text("name: Mine # name\nversion: 1.0.0\nschema: v1\n")
    path.chmod(0o600)
    return path


@pytest.fixture
async def page(context: Context, places: Places, qtbot: QtBot, bugs: list[BaseException]) -> ClientsPage:
    """The page, shown, after its first scan."""
    made = ClientsPage(context, ClientScan(context, places=places))
    qtbot.addWidget(made)
    made.resize(900, 700)
    made.show()
    await made.scan.scan_again()
    return made


Choose = Callable[[str], None]


@pytest.fixture
def choose(page: ClientsPage) -> Choose:
    """Selects a client."""
    return lambda client: page.open_details(client=client)
