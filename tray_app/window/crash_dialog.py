"""The dialog that reports an unexpected error."""

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import Qt, QUrl
from PySide6.QtGui import QDesktopServices, QFontDatabase, QGuiApplication
from PySide6.QtWidgets import QDialog, QPlainTextEdit, QPushButton, QVBoxLayout, QWidget

from tray_app.desktop.crashes.report import CrashReport
from tray_app.translation import counted, tr
from tray_app.window.labels import make_label
from tray_app.window.layouts import make_row

SIZE = (640, 440)
COPIED_MS = 1000


class CrashDialog(QDialog):
    """Uses only plain Qt widgets, because the theme may be what failed.

    `on_quit` ends the application. A `fatal` error offers no way to continue.
    """

    def __init__(
        self,
        report: CrashReport,
        *,
        log: Path,
        on_quit: Callable[[], object],
        fatal: bool = False,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._report = report
        self._log = log
        self._on_quit = on_quit
        self.open_url: Callable[[QUrl], object] = QDesktopServices.openUrl
        self.setWindowTitle("Dragoman")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.resize(*SIZE)
        self.more = make_label("", "muted", wrap=True)
        self.more.hide()
        self.copy = self._make_button(tr("&Copy report"), self._copy_report)
        self.logs = self._make_button(tr("Open &logs folder"), self._open_logs_folder)
        self.quit = self._make_button(tr("&Quit"), self._quit_application)
        self.go_on = self._make_button(tr("C&ontinue"), self.accept)
        if fatal:
            self.go_on.hide()
        self._build_dialog(fatal)

    def add_more(self, count: int) -> None:
        """Report that `count` more errors have occurred since."""
        self.more.setText(
            counted(count, "1 more error since then is in the log.", "{n} more errors since then are in the log.")
        )
        self.more.show()

    def _build_dialog(self, fatal: bool) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(24, 24, 24, 16)
        column.setSpacing(8)
        column.addWidget(make_label(tr("Something went wrong"), "title", wrap=True))
        column.addWidget(make_label(_explanation_text(fatal), wrap=True))
        column.addSpacing(8)
        column.addWidget(self._make_report_view(), 1)
        location = make_label(tr("It is also in the log: {path}").format(path=self._log), "muted", wrap=True)
        location.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextSelectableByMouse | Qt.TextInteractionFlag.TextSelectableByKeyboard
        )
        column.addWidget(location)
        column.addWidget(self.more)
        column.addSpacing(8)
        column.addLayout(make_row(self.copy, self.logs, None, self.quit, self.go_on))
        default = self.quit if fatal else self.go_on
        default.setProperty("role", "primary")
        default.setDefault(True)
        default.setFocus()

    def _make_report_view(self) -> QPlainTextEdit:
        trace = QPlainTextEdit(f"{self._report.summary}\n\n{self._report.as_text()}", readOnly=True)
        trace.setFont(QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont))
        trace.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        trace.setTabChangesFocus(True)
        trace.setAccessibleName(tr("Error report"))
        return trace

    def _make_button(self, text: str, slot: Callable[[], object]) -> QPushButton:
        button = QPushButton(text, autoDefault=False)
        button.clicked.connect(lambda: slot())
        return button

    def _copy_report(self) -> None:
        QGuiApplication.clipboard().setText(self._report.as_text())
        self.copy.setText(tr("Copied"))
        self._restore = self.startTimer(COPIED_MS)

    def timerEvent(self, event: object) -> None:
        """Restore the button's text."""
        self.killTimer(self._restore)
        self.copy.setText(tr("&Copy report"))

    def _open_logs_folder(self) -> None:
        self.open_url(QUrl.fromLocalFile(str(self._log.parent)))

    def _quit_application(self) -> None:
        self.accept()
        self._on_quit()


def _explanation_text(fatal: bool) -> str:
    if fatal:
        return tr(
            "Dragoman must close because of an unexpected error. Start it again; if it closes again, the "
            "report below helps to fix it."
        )
    return tr(
        "An unexpected error occurred. The server keeps running, and you can continue; if something stops "
        "working, quit and start Dragoman again. The report below helps to fix it."
    )
