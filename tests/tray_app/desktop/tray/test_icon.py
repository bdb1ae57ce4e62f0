"""The tray icon: its picture and tooltip follow the server, a click opens the window."""

from collections.abc import AsyncIterator

import pytest
from PySide6.QtCore import QCoreApplication, QEvent, QSize
from PySide6.QtWidgets import QSystemTrayIcon

from server.config.settings import Settings
from server.core.errors import PortUnavailable
from server.core.events import CliChanged, RequestFinished, RequestStarted
from server.core.records import RequestRecord
from server.hosting.sockets import listen
from tests.ports import kept_port
from tests.scripted_backend import ScriptedBackend
from tests.tray_app.conftest import MadeAutostart
from tests.waiting import until
from tray_app.context import Context
from tray_app.desktop.tray.icon import TrayIcon, tray_icon
from tray_app.models.status import StatusKind

STATES: tuple[StatusKind, ...] = ("stopped", "starting", "running", "busy", "attention", "error")
Reason = QSystemTrayIcon.ActivationReason


class Calls:
    """Counts what the icon asks for."""

    def __init__(self) -> None:
        self.opened = 0
        self.quits = 0

    def open_window(self) -> None:
        self.opened += 1

    def quit(self) -> None:
        self.quits += 1


@pytest.fixture
def calls() -> Calls:
    return Calls()


@pytest.fixture
async def icon(context: Context, calls: Calls) -> AsyncIterator[TrayIcon]:
    icon = TrayIcon(context, open_window=calls.open_window, quit=calls.quit)
    yield icon
    icon.hide()
    icon.menu.deleteLater()
    icon.deleteLater()


def record(number: int) -> RequestRecord:
    return RequestRecord(id=f"req_{number}", started_at=1_800_000_000.0, endpoint="/v1/messages", client="test")


async def test_it_follows_the_server(context: Context, icon: TrayIcon) -> None:
    assert icon.state == "stopped"
    assert icon.icon.toolTip() == "Dragoman\nStopped"
    await context.server.start()
    assert icon.state == "running"
    assert icon.icon.toolTip() == f"Dragoman\nRunning on {context.server.url}"
    await context.server.stop()
    assert icon.state == "stopped"


async def test_requests_make_it_busy_and_it_rests_a_while_after_the_last(context: Context, icon: TrayIcon) -> None:
    await context.server.start()
    seen: list[StatusKind] = []
    context.server.in_flight_changed.connect(lambda: seen.append(icon.state))
    context.bus.publish(RequestStarted(record(1)))
    context.bus.publish(RequestStarted(record(2)))
    await until(lambda: icon.state == "busy")
    assert "2 requests running" in icon.icon.toolTip()
    seen.clear()
    context.bus.publish(RequestFinished(record(1)))
    context.bus.publish(RequestFinished(record(2)))
    await until(lambda: seen)
    assert seen == ["busy"]
    await until(lambda: icon.state == "running")
    assert "requests running" not in icon.icon.toolTip()


async def test_a_request_that_comes_while_it_rests_keeps_it_busy(context: Context, icon: TrayIcon) -> None:
    await context.server.start()
    context.bus.publish(RequestStarted(record(1)))
    await until(lambda: icon.state == "busy")
    rested: list[bool] = []

    def go_on() -> None:
        if not rested:
            rested.append(icon._hold.isActive())
            context.bus.publish(RequestStarted(record(2)))

    # At once: who looks now and then may see the rest only when it is over.
    context.server.in_flight_changed.connect(go_on)
    context.bus.publish(RequestFinished(record(1)))
    await until(lambda: rested and not icon._hold.isActive())
    assert rested == [True]
    assert icon.state == "busy"


async def test_stopping_ends_busy_at_once(context: Context, icon: TrayIcon) -> None:
    await context.server.start()
    context.bus.publish(RequestStarted(record(1)))
    await until(lambda: icon.state == "busy")
    await context.server.stop()
    assert icon.state == "stopped"


async def test_a_port_that_is_taken_is_an_error(context: Context, icon: TrayIcon, settings: Settings) -> None:
    with kept_port() as port:
        await context.change_settings({"port": port})
        with await listen("127.0.0.1", port):
            with pytest.raises(PortUnavailable):
                await context.server.start()
            assert icon.state == "error"
            assert f"Not running: Port {port}" in icon.icon.toolTip()
        await context.server.start()
        assert icon.state == "running"


async def test_a_server_that_cannot_answer_needs_attention(
    context: Context, icon: TrayIcon, backend: ScriptedBackend
) -> None:
    await context.server.start()
    backend.running = False
    context.bus.publish(CliChanged(None, None, None, {}, "Claude Code was not found."))
    await until(lambda: icon.state == "attention")
    assert icon.icon.toolTip() == f"Dragoman\nRunning on {context.server.url}\nClaude Code was not found."
    assert icon.menu.trouble.isVisible()
    backend.running = True
    context.bus.publish(CliChanged("/usr/bin/claude", "9.9.9", True, {}))
    await until(lambda: icon.state == "running")
    assert not icon.menu.trouble.isVisible()


async def test_start_at_login_is_read_before_the_menu_is_seen(
    context: Context, icon: TrayIcon, autostart: MadeAutostart
) -> None:
    autostart.on = True
    icon.show()
    await until(icon.menu.login.isChecked)


@pytest.mark.parametrize(
    ("reason", "opened"),
    [(Reason.Trigger, 1), (Reason.DoubleClick, 1), (Reason.Context, 0), (Reason.MiddleClick, 0), (Reason.Unknown, 0)],
)
async def test_a_click_opens_the_window(icon: TrayIcon, calls: Calls, reason: Reason, opened: int) -> None:
    icon.icon.activated.emit(reason)
    assert calls.opened == opened


async def test_on_macos_a_click_opens_the_menu_alone(
    icon: TrayIcon, calls: Calls, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tray_app.desktop.tray.icon.MACOS", True)
    icon.icon.activated.emit(Reason.Trigger)
    assert calls.opened == 0


async def test_without_a_host_it_looks_for_one(icon: TrayIcon) -> None:
    icon.show()
    assert icon._looking.isActive()
    icon.hide()
    assert not icon._looking.isActive()


async def test_a_tray_that_comes_gets_an_icon_of_its_kind(context: Context, icon: TrayIcon, calls: Calls) -> None:
    await context.server.start()
    icon.show()
    before = icon.icon
    icon._dbus_tray.changed.emit()
    assert icon.icon is not before
    assert not before.isVisible()
    assert icon.icon.isVisible()
    assert icon.icon.toolTip() == f"Dragoman\nRunning on {context.server.url}"
    assert not icon.icon.icon().isNull()
    assert icon.icon.contextMenu() is icon.menu
    icon.icon.activated.emit(Reason.Trigger)
    assert calls.opened == 1
    QCoreApplication.sendPostedEvents(before, QEvent.Type.DeferredDelete)
    await context.server.stop()
    assert icon.menu.state.text() == "Stopped", "the menu is whole, though the icon that had it is gone"
    icon.hide()
    icon._dbus_tray.changed.emit()
    assert not icon.icon.isVisible()


async def test_its_menu_is_the_icons(icon: TrayIcon) -> None:
    assert icon.icon.contextMenu() is icon.menu


@pytest.mark.parametrize("size", [16, 22, 44])
def test_the_pictures_differ_without_their_colours(qapp: object, size: int) -> None:
    def grey(state: StatusKind) -> bytes:
        image = tray_icon(state).pixmap(QSize(size, size)).toImage()
        assert not image.isNull()
        return bytes(image.convertToFormat(image.Format.Format_Alpha8).constBits()) + bytes(
            image.convertToFormat(image.Format.Format_Grayscale8).constBits()
        )

    assert len({grey(state) for state in STATES}) == len(STATES)


@pytest.mark.parametrize("state", STATES)
def test_macos_gets_a_mask(qapp: object, state: StatusKind, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tray_app.desktop.tray.icon.MACOS", True)
    icon = tray_icon(state)
    assert icon.isMask()
    assert not icon.pixmap(QSize(22, 22)).isNull()
