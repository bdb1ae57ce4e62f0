"""The desktop application's parts without a screen: Qt's event loop, and a context over a real store."""

import gc
import os
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

# Before Qt is loaded. Tests with a real screen start their own processes.
os.environ["QT_QPA_PLATFORM"] = "offscreen"

import pytest
from PySide6.QtGui import QCursor, QGuiApplication
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from server.composition import Server
from server.config.settings import Settings, load_settings, write_settings
from server.config.settings_in_force import SettingsInForce
from server.core.events import EventBus
from server.secrets import KeyStore
from server.secrets.storage import MemoryStorage
from tests.scripted_backend import ScriptedBackend
from tray_app.context import Context
from tray_app.desktop.autostart import Autostart
from tray_app.desktop.loop.event_loop import EventLoop
from tray_app.desktop.loop.qt_application import TrayApplication, make_qapplication
from tray_app.preferences import Preferences
from tray_app.theme import Theme

KEY = "dgm-the-key-of-this-test"


def pytest_asyncio_loop_factories(config: pytest.Config, item: pytest.Item) -> Mapping[str, Callable[[], Any]]:
    """Asynchronous tests run on Qt's event loop, as the application does."""
    return {"qasync": lambda: EventLoop(make_qapplication())}


@pytest.fixture(scope="session")
def qapp_cls() -> type[QApplication]:
    """The application's own, for pytest-qt."""
    return TrayApplication


@pytest.fixture(autouse=True)
def _pointer_and_clipboard_as_at_the_start() -> None:
    """Reset both, which the previous test may have changed; a window that opens under the pointer gets hover events."""
    if isinstance(QApplication.instance(), QApplication):
        QCursor.setPos(10, 10)
        QGuiApplication.clipboard().clear()


@pytest.fixture
def qtbot(qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> QtBot:
    """pytest-qt's fixture with a timeout of a minute: its five seconds are too short on a busy machine."""
    for name in ("waitUntil", "waitSignal", "waitSignals", "waitExposed", "waitActive"):
        monkeypatch.setattr(qtbot, name, partial(getattr(qtbot, name), timeout=60_000))
    return qtbot


class MadeAutostart(Autostart):
    """Start at login, in memory."""

    description = "in this test's memory"

    def __init__(self) -> None:
        self.on = False
        self.repaired = 0

    def is_enabled(self) -> bool:
        return self.on

    def enable(self) -> None:
        self.on = True

    def disable(self) -> None:
        self.on = False

    def repair_entry(self) -> bool:
        self.repaired += 1
        return False


@pytest.fixture(autouse=True)
def _garbage_in_the_gui_thread() -> Iterator[None]:
    """A cycle that holds a Qt object must not be collected in a worker thread, in this test or a later one."""
    gc.disable()
    yield
    gc.collect()
    gc.freeze()
    gc.enable()


@pytest.fixture
def autostart() -> MadeAutostart:
    """Start at login, switched off."""
    return MadeAutostart()


@pytest.fixture
def theme(qapp: QApplication) -> Theme:
    """The light theme, applied."""
    return Theme("light")


@pytest.fixture
def backend() -> ScriptedBackend:
    """The backend of the context's server."""
    return ScriptedBackend()


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Settings with the test's directories and port 0, which the settings file names."""
    directories = {"data_dir": tmp_path / "data", "config_dir": tmp_path / "config"}
    write_settings(tmp_path / "config", {"port": 0})
    return load_settings(directories)


MakeContext = Callable[..., Context]


@pytest.fixture
def make_context(settings: Settings, theme: Theme, autostart: MadeAutostart) -> MakeContext:
    """Makes contexts over the test's settings without opening them: `make_context(key_store=..., host=...)`."""

    def make(**changes: Any) -> Context:
        given = {
            "settings": settings,
            "key_store": KeyStore(MemoryStorage()),
            "theme": theme,
            "autostart": autostart,
            "preferences": Preferences(settings.config_dir),
        }
        return Context(**{**given, **changes})

    return make


@pytest.fixture
async def context(settings: Settings, make_context: MakeContext, backend: ScriptedBackend) -> AsyncIterator[Context]:
    """A context with an open store and a server that is not started; `backend` serves its requests."""
    overrides = {"data_dir": settings.data_dir, "config_dir": settings.config_dir}

    def host(context: Context) -> Callable[[SettingsInForce, EventBus], Any]:
        async def make(in_force: SettingsInForce, bus: EventBus) -> Server:
            return await Server.create(in_force, bus, key_store=context.key_store, store=context.store, backend=backend)

        return make

    context = make_context(key_store=KeyStore(MemoryStorage(), fixed_key=KEY), overrides=overrides, host=host)
    await context.open()
    yield context
    await context.close()


@pytest.fixture
def bugs(context: Context) -> Iterator[list[BaseException]]:
    """Unexpected errors; a test that leaves any fails."""
    found: list[BaseException] = []
    context.report_bug = found.append
    yield found
    assert not found
