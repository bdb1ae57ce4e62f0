"""Everything about one client: how to tell it where the server is, or have that done, and to see that it works."""

from PySide6.QtCore import QSize, Qt, QUrl
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QComboBox, QFrame, QHBoxLayout, QLabel, QScrollArea, QSizePolicy, QVBoxLayout, QWidget

from server.errors import TrayError
from tray_app.clients.client import Client
from tray_app.context import Context
from tray_app.translation import tr
from tray_app.widgets import Banner, Toast, button
from tray_app.windows.clients.change_panel import ChangePanel
from tray_app.windows.clients.client_model import standing_words
from tray_app.windows.clients.configure import Configure
from tray_app.windows.clients.survey import Survey
from tray_app.windows.clients.told import FieldsView, SnippetView, StepsView
from tray_app.windows.clients.trial_panel import TrialPanel

_ROLES = {"configured": "ok", "outdated": "warning", "damaged": "error"}
_ICON = 28


class ClientCard(QScrollArea):
    """The card of the client that is chosen."""

    def __init__(self, context: Context, survey: Survey) -> None:
        super().__init__()
        self._context = context
        self._survey = survey
        self.client: Client | None = None
        self._told: QWidget | None = None
        self._fields: FieldsView | None = None
        self.snippets: list[SnippetView] = []
        self._icon, self._name, self.standing = QLabel(), _label("heading"), _label("muted")
        self._summary, self.note = _wrapped("muted"), _wrapped("muted")
        self.unserved = _wrapped("warning")
        self.banner = Banner()
        self.change = ChangePanel()
        self.trial = TrialPanel(context, lambda: survey.connection)
        self.work = Configure(context, survey, self.change)
        self.work.failed.connect(self._fail)
        self.work.done.connect(self._say_done)
        self._make_actions()
        self._lay_out()
        self._toast = Toast(self)
        survey.changed.connect(self.update_state)
        context.settings_changed.connect(self.update_state)
        context.theme.changed.connect(self._draw_icon)

    def show_client(self, client: Client) -> None:
        """Show another client."""
        if client is self.client:
            return
        self.client = client
        self.setAccessibleName(client.name)
        self.banner.clear()
        self.trial.dismiss()
        self.work.show_client(client)
        self._fill(client)
        self.update_state()
        self.verticalScrollBar().setValue(0)

    def update_state(self) -> None:
        """Show what the survey knows now."""
        if (client := self.client) is None:
            return
        look = self._survey.of(client)
        standing = look.standing(client)
        self.standing.setText(standing_words(standing))
        self.standing.setProperty("role", _ROLES.get(standing, "muted"))
        self.standing.style().polish(self.standing)
        file = look.file
        self.configure.setVisible(client.served and client.configuration is not None)
        self.configure.setText(tr("Update") if standing == "outdated" else tr("Configure for me"))
        self.configure.setEnabled(self._survey.address_known and standing != "damaged")
        self.configure.setProperty("role", "" if standing == "configured" else "primary")
        self.configure.style().polish(self.configure)
        self.undo.setVisible(file is not None and file.last is not None)
        self._show_problem(file.problem if file is not None else None)
        self._show_models()
        self.show_values()

    def show_values(self) -> None:
        """Fill in the connection; the key is hidden until it is asked for."""
        shown = self._survey.connection if self.show_key.isChecked() else self._survey.connection.masked()
        self.work.hide_key = not self.show_key.isChecked()
        self.show_key.setVisible(shown.key is not None)
        self.address.setVisible(not self._survey.address_known)
        if self._fields is not None:
            self._fields.show_values(shown)
        for snippet in self.snippets:
            snippet.show_text(shown)

    def _fill(self, client: Client) -> None:
        self._name.setText(client.name)
        speaks = {"chat completions": "OpenAI's Chat Completions", "messages": "Anthropic's Messages"}
        dialect = speaks.get(client.dialect, "OpenAI's Responses")
        self._summary.setText(tr("{summary}. Speaks {dialect}.").format(summary=tr(client.summary), dialect=dialect))
        self._draw_icon()
        self._replace_told(client)
        self.unserved.setText(tr(client.unserved) if not client.served else "")
        self.unserved.setVisible(not client.served)
        self.note.setText(tr(client.note))
        self.note.setVisible(bool(client.note) and client.served)
        for widget in (self.test, self.models, self._model_name, self.show_key):
            widget.setVisible(client.served)

    def _replace_told(self, client: Client) -> None:
        if self._told is not None:
            self._told.hide()
            self._told.deleteLater()
        self._fields, self.snippets = None, []
        self._told = QWidget()
        column = QVBoxLayout(self._told)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(16)
        if client.served:
            column.addWidget(StepsView(client.steps))
            self._add_told(client, column)
        self._place.addWidget(self._told)

    def _add_told(self, client: Client, column: QVBoxLayout) -> None:
        if client.fields:
            self._fields = FieldsView(client.fields, lambda: self._survey.connection)
            column.addWidget(self._fields)
        for snippet in client.snippets:
            self.snippets.append(SnippetView(snippet, lambda: self._survey.connection, self._context))
            column.addWidget(self.snippets[-1])

    def _show_models(self) -> None:
        names = self._survey.models
        box = self.models
        box.blockSignals(True)
        if [box.itemText(row) for row in range(box.count())] != names:
            box.clear()
            box.addItems(names)
        if box.currentText() != self._survey.model:
            box.setCurrentText(self._survey.model)
        box.blockSignals(False)

    def _show_problem(self, problem: TrayError | None) -> None:
        if problem is not None:
            self.banner.show_error(problem, actions=[(tr("Look again"), self._look_again)])

    def _look_again(self) -> None:
        self.banner.clear()
        self._context.run(self._survey.refresh(), name="look at clients")

    def _fail(self, error: TrayError) -> None:
        self.banner.show_error(error)
        self.ensureWidgetVisible(self.banner)

    def _say_done(self, words: str) -> None:
        self.banner.clear()
        self._toast.show_message(words)

    def _test(self) -> None:
        if self.client is not None:
            self.trial.test(self.client)

    def _open_documentation(self) -> None:
        if self.client is not None:
            QDesktopServices.openUrl(QUrl(self.client.documentation))

    def _draw_icon(self) -> None:
        if self.client is not None:
            pixmap = self._context.theme.icon(self.client.icon).pixmap(QSize(_ICON, _ICON), self.devicePixelRatioF())
            self._icon.setPixmap(pixmap)

    def _make_actions(self) -> None:
        self.configure = button(tr("Configure for me"), self.work.configure, role="primary")
        self.undo = button(tr("Undo..."), self.work.undo, icon="mdi6.undo")
        self.test = button(tr("Test"), self._test, icon="mdi6.send-outline", hint=tr("Sends one real request"))
        self.documentation = button(
            tr("Documentation"), self._open_documentation, role="quiet", icon="mdi6.open-in-new"
        )
        self.show_key = button(tr("Show the key"), self.show_values, role="quiet", icon="mdi6.eye-outline")
        self.show_key.setCheckable(True)
        self.models = QComboBox()
        self.models.setEditable(True)
        self.models.setInsertPolicy(QComboBox.InsertPolicy.NoInsert)
        self.models.setMinimumWidth(160)
        self.models.currentTextChanged.connect(self._survey.choose_model)
        self._model_name = QLabel(tr("&Model"))
        self._model_name.setBuddy(self.models)
        self.address = _wrapped("warning")
        self.address.setText(tr("The port is chosen when the server starts: start it to see the address."))

    def _lay_out(self) -> None:
        head = QHBoxLayout()
        head.setSpacing(8)
        for widget in (self._icon, self._name, self.standing):
            head.addWidget(widget)
        head.addStretch(1)
        head.addWidget(self.documentation)
        actions = _row(self.configure, self.test, self.undo)
        choices = _row(self._model_name, self.models, self.show_key)
        self._place = QVBoxLayout()
        content = QFrame()
        content.setProperty("role", "card")
        column = QVBoxLayout(content)
        column.setContentsMargins(16, 16, 16, 16)
        column.setSpacing(16)
        column.addLayout(head)
        above: list[QWidget] = [self._summary, self.unserved, self.banner]
        below: list[QWidget] = [self.change, self.trial, self.address]
        for part in above:
            column.addWidget(part)
        column.addLayout(actions)
        for part in below:
            column.addWidget(part)
        column.addLayout(choices)
        column.addLayout(self._place)
        column.addWidget(self.note)
        column.addStretch(1)
        self.setWidget(content)
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)


def _row(*widgets: QWidget) -> QHBoxLayout:
    row = QHBoxLayout()
    row.setSpacing(8)
    for widget in widgets:
        row.addWidget(widget)
    row.addStretch(1)
    return row


def _label(role: str) -> QLabel:
    label = QLabel()
    label.setProperty("role", role)
    return label


def _wrapped(role: str) -> QLabel:
    label = _label(role)
    label.setWordWrap(True)
    label.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Minimum)
    return label
