"""Everything about one client: how to tell it where the server is, or have that done, and to see that it works."""

from typing import cast

from PySide6.QtCore import QSize, Qt, QTimer
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QLabel, QLineEdit, QScrollArea, QSizePolicy, QVBoxLayout, QWidget

from server.core.errors import TrayError
from tray_app import formatting
from tray_app.clients.client import Client
from tray_app.context import Context
from tray_app.pages.clients.change_panel import ChangePanel
from tray_app.pages.clients.client_scan import Look, Survey
from tray_app.pages.clients.configure import Configure
from tray_app.pages.clients.connection_details import ToldView
from tray_app.pages.clients.connection_test_panel import TrialPanel
from tray_app.pages.clients.heading import Heading
from tray_app.translation import tr
from tray_app.widgets import Banner, Toast, button

_MODEL_CHARACTERS = 10
_MODEL_WIDTH = 212


class ClientCard(QScrollArea):
    """The card of the client that is chosen."""

    def __init__(self, context: Context, survey: Survey) -> None:
        super().__init__()
        self._context = context
        self._survey = survey
        self.client: Client | None = None
        self.told: ToldView | None = None
        self._problem: TrayError | None = None
        self.heading = Heading(context.theme)
        self.unserved, self.note = _wrapped("warning"), _wrapped("muted")
        self.banner = Banner()
        self.change = ChangePanel()
        self.trial = TrialPanel(context, lambda: survey.connection)
        self.work = Configure(context, survey, self.change)
        self.work.failed.connect(self._fail)
        self.work.done.connect(self._say_done)
        # Only after it has its place can it be scrolled to.
        self.change.proposed.connect(lambda: QTimer.singleShot(0, self.change, self._scroll_to_change))
        self._make_actions()
        self._lay_out()
        self._toast = Toast(self)
        # Everything in it can be gone to, and scrolls into view then.
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        survey.changed.connect(self.update_state)

    def minimumSizeHint(self) -> QSize:
        """Nothing in it is cut off at the right."""
        hint = super().minimumSizeHint()
        needed = self._content.minimumSizeHint().width() + self.verticalScrollBar().sizeHint().width()
        return QSize(max(hint.width(), needed + 2 * self.frameWidth()), hint.height())

    def show_client(self, client: Client) -> None:
        """Show another client."""
        if client is self.client:
            return
        self.client = client
        self.setAccessibleName(client.name)
        self.banner.clear()
        self._problem = None
        self.trial.dismiss()
        self.work.show_client(client)
        self.heading.show_client(client)
        self.unserved.setText(str(client.unserved))
        self.note.setText(str(client.note))
        self.unserved.setVisible(not client.served)
        self.note.setVisible(bool(client.note) and client.served)
        asked: list[QWidget] = [self.test, self._model_name, self.models]
        for widget in asked:
            widget.setVisible(client.served)
        self._replace_told(client)
        self.update_state()
        self.verticalScrollBar().setValue(0)

    def update_state(self) -> None:
        """Show what the survey knows now."""
        if (client := self.client) is None:
            return
        look = self._survey.of(client)
        self.heading.show_standing(look.standing(client))
        self._show_actions(client, look)
        self._show_problem(look.file.problem if look.file is not None else None)
        self._show_models()
        self._show_address(client)
        self.show_values()
        self.updateGeometry()

    def show_values(self) -> None:
        """Fill in the connection; the key is hidden until it is asked for."""
        connection = self._survey.connection
        self.show_key.setVisible(connection.key is not None and self.client is not None and self.client.served)
        self.work.hide_key = not self.show_key.isChecked()
        if self.told is not None and self.client is not None:
            file = self._survey.of(self.client).file
            shown = connection if self.show_key.isChecked() else connection.masked()
            self.told.show_values(shown, file.path if file is not None else None)

    def _show_actions(self, client: Client, look: Look) -> None:
        standing, file = look.standing(client), look.file
        complete = standing == "configured" and file is not None and self._survey.model in file.state.models
        self.configure.setVisible(client.served and client.configuration is not None and not complete)
        self.configure.setText(tr("&Update") if standing in ("configured", "outdated") else tr("Con&figure for me"))
        self.configure.setEnabled(self._survey.address_known and standing != "damaged")
        last = file.last if file is not None else None
        self.undo.setVisible(last is not None)
        if last is not None:
            when = formatting.relative_time(last.at, self._context.clock())
            self.undo.setToolTip(tr("Restore {path} as it was {when}").format(path=last.path, when=when))

    def _show_address(self, client: Client) -> None:
        stopped = self._context.server.down
        known = self._survey.address_known
        words = (
            tr("The server is stopped. This will be its address.") if known else tr("The port is chosen at startup.")
        )
        self.address.setText(words)
        self.address.setVisible(client.served and (stopped or not known))
        self.start.setVisible(client.served and stopped)

    def _show_models(self) -> None:
        box, names = self.models, self._survey.models
        box.blockSignals(True)
        if [box.itemText(row) for row in range(box.count())] != names:
            box.clear()
            box.addItems(names)
        if box.currentText() != self._survey.model:
            box.setCurrentText(self._survey.model)
        box.blockSignals(False)

    def _show_problem(self, problem: TrayError | None) -> None:
        if problem is None and self._problem is not None:
            self.banner.clear()
        elif problem is not None and str(problem) != str(self._problem):
            self.banner.show_error(problem, actions=[(tr("Check again"), self._look_again)])
        self._problem = problem

    def _look_again(self) -> None:
        self._problem = None
        self._context.run(self._survey.refresh(), name="look at clients", on_error=self._fail)

    def _start(self) -> None:
        self._context.run(self._context.server.start(), name="start the server", on_error=self._fail)

    def _fail(self, error: TrayError) -> None:
        self.banner.show_error(error)
        self.ensureWidgetVisible(self.banner)

    def _scroll_to_change(self) -> None:
        self._column.activate()
        self.ensureWidgetVisible(self.change, 0, 0)
        self.ensureWidgetVisible(self.change.write, 0, 24)

    def _say_done(self, words: str) -> None:
        self.banner.clear()
        self._toast.show_message(words)
        self.test.setFocus()

    def _test(self) -> None:
        if self.client is not None:
            self.trial.test(self.client)

    def _choose_model(self, name: str) -> None:
        # An empty field is one that is being typed into.
        if name.strip():
            self._survey.choose_model(name)

    def _replace_told(self, client: Client) -> None:
        if self.told is not None:
            self.told.hide()
            self.told.deleteLater()
        self.told = ToldView(client, lambda: self._survey.connection, self._context)
        self._place.addWidget(self.told)

    def _make_actions(self) -> None:
        self.configure = button(tr("Con&figure for me"), self.work.configure, role="primary")
        self.undo = button(tr("Undo..."), self.work.undo, icon="mdi6.undo")
        self.test = button(tr("&Test"), self._test, icon="mdi6.send-outline", hint=tr("Sends one real request"))
        self.start = button(tr("Start the server"), self._start)
        self.show_key = button(tr("Show the key"), self.show_values, role="quiet", icon="mdi6.eye-outline")
        self.show_key.setCheckable(True)
        self.models = QComboBox()
        self.models.setEditable(True)
        self.models.setInsertPolicy(QComboBox.InsertPolicy.NoInsert)
        self.models.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.models.setMinimumContentsLength(_MODEL_CHARACTERS)
        self.models.setMaximumWidth(_MODEL_WIDTH)
        self.models.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.models.currentTextChanged.connect(self._choose_model)
        self._model_name = QLabel(tr("&Model"))
        self._model_name.setBuddy(self.models)
        # What takes the focus is the line in the box, and the name of that is not the box's.
        cast(QLineEdit, self.models.lineEdit()).setAccessibleName(tr("Model"))
        self.address = QLabel()
        self.address.setProperty("role", "warning")

    def _lay_out(self) -> None:
        self._place = QVBoxLayout()
        content = self._content = QWidget()
        column = self._column = QVBoxLayout(content)
        column.setContentsMargins(16, 16, 16, 16)
        column.setSpacing(16)
        model = _row(self._model_name, self.models, self.show_key)
        model.setStretch(1, 1)
        rows: list[QWidget | QHBoxLayout | QVBoxLayout] = [
            self.heading,
            self.unserved,
            self.banner,
            _row(self.configure, self.test, self.undo),
            self.change,
            self.trial,
            _row(self.address, self.start),
            model,
            self._place,
            self.note,
        ]
        for row in rows:
            if isinstance(row, QWidget):
                column.addWidget(row)
            else:
                column.addLayout(row)
        column.addStretch(1)
        self.setWidget(content)
        self.setWidgetResizable(True)
        # The frame stays where it is; what scrolls in it lets it be seen.
        self.setProperty("role", "card")
        for plain in (content, self.viewport()):
            plain.setAutoFillBackground(False)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)


def _row(*widgets: QWidget) -> QHBoxLayout:
    row = QHBoxLayout()
    row.setSpacing(8)
    for widget in widgets:
        row.addWidget(widget)
    row.addStretch(1)
    return row


def _wrapped(role: str) -> QLabel:
    label = QLabel()
    label.setProperty("role", role)
    label.setWordWrap(True)
    return label
