"""What it means to close the window: with a tray it hides there, without one the person is asked."""

from collections.abc import Callable

from PySide6.QtGui import QIcon
from PySide6.QtWidgets import QMessageBox, QWidget

from tray_app.assets import asset
from tray_app.context import Context
from tray_app.translation import counted, tr

_ICON = 48


class Closing:
    """Decides and asks. `quit` ends the application; `has_tray` says whether an icon can be seen."""

    def __init__(
        self, context: Context, window: QWidget, *, has_tray: Callable[[], bool], quit_application: Callable[[], None]
    ) -> None:
        self._context = context
        self._window = window
        self._has_tray = has_tray
        self._quit = quit_application
        self.box: QMessageBox | None = None
        """The question that is open."""

    def may_close(self) -> bool:
        """Whether the window can just be hidden; if not, the person is being asked now."""
        if not self._window.isVisible() or self._has_tray():
            return True
        box = self._ask(
            tr("Quit Claude Code Tray?"),
            tr(
                "This desktop shows no tray icons. If it keeps running, start Claude Code Tray again to see this "
                "window."
            ),
        )
        leave = box.addButton(tr("Quit"), QMessageBox.ButtonRole.DestructiveRole)
        stay = box.addButton(tr("Keep running"), QMessageBox.ButtonRole.AcceptRole)
        box.addButton(QMessageBox.StandardButton.Cancel)
        box.setDefaultButton(stay)
        box.finished.connect(lambda _: self._decide(box, leave, stay))
        box.open()
        return False

    def request_quit(self) -> None:
        """Quit; while requests are being answered the person is asked first."""
        count = self._context.server.in_flight
        if not count:
            self._quit()
            return
        question = counted(count, "A request is being answered.", "{n} requests are being answered.")
        box = self._ask(tr("Quit now?"), question + " " + tr("Quitting ends them."))
        leave = box.addButton(tr("Quit now"), QMessageBox.ButtonRole.DestructiveRole)
        stay = box.addButton(tr("Keep running"), QMessageBox.ButtonRole.RejectRole)
        box.setDefaultButton(stay)
        box.finished.connect(lambda _: self._quit() if box.clickedButton() is leave else None)
        box.open()

    def _ask(self, title: str, text: str) -> QMessageBox:
        if self.box is not None:
            self.box.close()
        parent = self._window if self._window.isVisible() else None
        self.box = box = QMessageBox(QMessageBox.Icon.Question, title, title, parent=parent)
        box.setIconPixmap(QIcon(str(asset("icons/app.svg"))).pixmap(_ICON, _ICON))
        box.setInformativeText(text)
        box.finished.connect(self._answered)
        return box

    def _answered(self) -> None:
        # The window would keep every question that it ever asked.
        if self.box is not None:
            self.box.deleteLater()
            self.box = None

    def _decide(self, box: QMessageBox, leave: object, stay: object) -> None:
        if box.clickedButton() is leave:
            self._quit()
        elif box.clickedButton() is stay:
            self._window.hide()
