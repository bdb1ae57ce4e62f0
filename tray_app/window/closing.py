"""Confirmations before closing the window, stopping the server and quitting."""

from collections.abc import Callable

from PySide6.QtGui import QIcon
from PySide6.QtWidgets import QMessageBox, QWidget

from tray_app.assets import asset_path
from tray_app.context import Context
from tray_app.translation import counted, tr

_ICON = 48


class Closing:
    """Asks before answers are cut off or the window disappears without an icon.

    `has_tray` reports whether a tray icon is visible.
    """

    def __init__(
        self, context: Context, window: QWidget, *, has_tray: Callable[[], bool], quit_application: Callable[[], None]
    ) -> None:
        self._context = context
        self._window = window
        self._has_tray = has_tray
        self._quit = quit_application
        self.box: QMessageBox | None = None
        """The open question."""
        context.stop_requested.connect(self.request_stop)

    def may_close(self) -> bool:
        """Return whether the window may be hidden now. Otherwise a question is opened."""
        if not self._window.isVisible() or self._has_tray():
            return True
        box = self._make_question(
            tr("Quit Dragoman?"),
            tr("This desktop shows no tray icons. If you keep it running, start Dragoman again to reopen this window."),
        )
        leave = box.addButton(tr("Quit"), QMessageBox.ButtonRole.DestructiveRole)
        stay = box.addButton(tr("Keep running"), QMessageBox.ButtonRole.AcceptRole)
        box.addButton(QMessageBox.StandardButton.Cancel)
        box.setDefaultButton(stay)
        box.finished.connect(lambda _: self._quit_or_hide(box, leave, stay))
        box.open()
        return False

    def request_stop(self) -> None:
        """Stop the server, after asking how if requests are running."""
        server = self._context.server
        if not server.in_flight:
            self._context.run(server.stop(), name="stop the server")
            return
        self._ask_how(
            tr("Stop the server?"),
            tr("Stopping now cuts off running answers. New requests are refused either way."),
            now=(tr("Stop now"), lambda: self._context.run(server.stop(), name="stop the server")),
            later=lambda: self._context.run(server.finish(), name="finish the answers"),
            stay=tr("Cancel"),
        )

    def request_quit(self) -> None:
        """Quit, after asking how if requests are running."""
        if not self._context.server.in_flight:
            self._quit()
            return
        self._ask_how(
            tr("Quit Dragoman?"),
            tr("Quitting now cuts off running answers. New requests are refused either way."),
            now=(tr("Quit now"), self._quit),
            later=self.finish_and_quit,
            stay=tr("Keep running"),
        )

    def finish_and_quit(self) -> None:
        """Quit when the last running request has ended."""
        self._context.run(self._finish_and_quit(), name="finish the answers and quit")

    async def _finish_and_quit(self) -> None:
        await self._context.server.finish()
        self._quit()

    def _ask_how(
        self,
        title: str,
        text: str,
        *,
        now: tuple[str, Callable[[], object]],
        later: Callable[[], object],
        stay: str,
    ) -> None:
        count = counted(self._context.server.in_flight, "1 request is running.", "{n} requests are running.")
        box = self._make_question(title, f"{count} {text}")
        at_once = box.addButton(now[0], QMessageBox.ButtonRole.DestructiveRole)
        finish = box.addButton(tr("Finish them first"), QMessageBox.ButtonRole.AcceptRole)
        cancel = box.addButton(stay, QMessageBox.ButtonRole.RejectRole)
        box.setDefaultButton(finish)
        box.setEscapeButton(cancel)

        def act_on_choice() -> None:
            if box.clickedButton() is at_once:
                now[1]()
            elif box.clickedButton() is finish:
                later()

        box.finished.connect(lambda _: act_on_choice())
        box.open()

    def _make_question(self, title: str, text: str) -> QMessageBox:
        if self.box is not None:
            self.box.close()
        parent = self._window if self._window.isVisible() else None
        self.box = box = QMessageBox(QMessageBox.Icon.Question, title, title, parent=parent)
        box.setIconPixmap(QIcon(str(asset_path("icons/app.svg"))).pixmap(_ICON, _ICON))
        box.setInformativeText(text)
        box.finished.connect(self._discard_question)
        return box

    def _discard_question(self) -> None:
        # Otherwise the window, its parent, would keep every question until the end.
        if self.box is not None:
            self.box.deleteLater()
            self.box = None

    def _quit_or_hide(self, box: QMessageBox, leave: object, stay: object) -> None:
        if box.clickedButton() is leave:
            self._quit()
        elif box.clickedButton() is stay:
            self._window.hide()
