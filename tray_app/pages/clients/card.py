"""The card of one client: its connection details, configuration and test."""

from typing import cast

from PySide6.QtCore import QSize, Qt, QTimer
from PySide6.QtWidgets import QComboBox, QLabel, QLineEdit, QScrollArea, QSizePolicy, QVBoxLayout, QWidget

from server.core.errors import DragomanError
from tray_app import formatting
from tray_app.clients.client import Client
from tray_app.clients.connection import Connection
from tray_app.context import Context
from tray_app.pages.clients.change_panel import ChangePanel
from tray_app.pages.clients.client_scan import ClientScan, ClientStatus
from tray_app.pages.clients.configure import Configurator
from tray_app.pages.clients.connection_details import ConnectionDetails
from tray_app.pages.clients.connection_test_panel import ConnectionTestPanel
from tray_app.pages.clients.heading import Heading
from tray_app.translation import tr
from tray_app.widgets import Banner, Toast, make_button
from tray_app.window.labels import make_label
from tray_app.window.layouts import make_column, make_row

_MODEL_CHARACTERS = 10
_MODEL_WIDTH = 212


class ClientCard(QScrollArea):
    """Shows the client selected in the list."""

    def __init__(self, context: Context, scan: ClientScan) -> None:
        super().__init__()
        self._context = context
        self._scan = scan
        self.client: Client | None = None
        self.details: ConnectionDetails | None = None
        self._problem: DragomanError | None = None
        self.heading = Heading(context.theme)
        self.unserved, self.note = make_label(role="warning", wrap=True), make_label(role="muted", wrap=True)
        self.banner = Banner()
        self.change_panel = ChangePanel()
        self.connection_test = ConnectionTestPanel(context, self._connection)
        self.configurator = Configurator(context, scan, self.change_panel)
        self.configurator.failed.connect(self._show_failure)
        self.configurator.done.connect(self._show_done)
        # The panel can be scrolled to only after the layout has placed it.
        self.change_panel.proposed.connect(lambda: QTimer.singleShot(0, self.change_panel, self._scroll_to_change))
        self._make_actions()
        self._build_content()
        self._toast = Toast(self)
        # The controls in it take the focus themselves, and scroll into view then.
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        scan.changed.connect(self.update_state)

    def minimumSizeHint(self) -> QSize:
        """Wide enough that nothing is cut off at the right."""
        hint = super().minimumSizeHint()
        needed = self._content.minimumSizeHint().width() + self.verticalScrollBar().sizeHint().width()
        return QSize(max(hint.width(), needed + 2 * self.frameWidth()), hint.height())

    def show_client(self, client: Client) -> None:
        """Show another client."""
        if client is self.client:
            return
        self.client = client
        self.setAccessibleName(client.name)
        self.banner.clear_message()
        self._problem = None
        self.connection_test.close_panel()
        self.configurator.show_client(client)
        self.heading.show_client(client)
        self.unserved.setText(str(client.unserved_reason))
        self.note.setText(str(client.note))
        self.unserved.setVisible(not client.is_served)
        self.note.setVisible(bool(client.note) and client.is_served)
        for widget in (self.test, self._model_name, self.models):
            widget.setVisible(client.is_served)
        self._replace_details(client)
        self.update_state()
        self.verticalScrollBar().setValue(0)

    def _connection(self) -> Connection:
        return self._scan.connection if self.client is None else self._scan.connection_of(self.client)

    def _has_own_key(self) -> bool:
        return self.client is not None and self._scan.has_own_key(self.client)

    def _make_own_key(self) -> None:
        if self.client is not None:
            work = self._use_own_key(self.client)
            self._context.run(work, name="make a client key", on_error=self._show_failure)

    async def _use_own_key(self, client: Client) -> None:
        self.own_key.setEnabled(False)
        try:
            name = await self._scan.make_own_key(client)
        finally:
            self.own_key.setEnabled(True)
        if client is self.client:
            self.configurator.discard_change()
            text = tr("Created the key “{name}”. It replaces the main key below until you quit.").format(name=name)
            self.banner.show_message("ok", text, actions=[(tr("Rules and limits..."), self._show_key_settings)])

    def _show_key_settings(self) -> None:
        self._context.show_page("settings", setting="client_keys")

    def update_state(self) -> None:
        """Show the result of the latest scan."""
        if (client := self.client) is None:
            return
        status = self._scan.status_of(client)
        self.heading.show_state(status.state_of(client))
        self._show_actions(client, status)
        self._show_file_problem(status.file.problem if status.file is not None else None)
        self._show_models()
        self._show_address(client)
        self.show_values()
        self.updateGeometry()

    def show_values(self) -> None:
        """Fill in the connection, with the key masked unless the user asked to see it."""
        connection = self._connection()
        self.show_key.setVisible(connection.key is not None and self.client is not None and self.client.is_served)
        self.own_key.setVisible(self.show_key.isVisibleTo(self) and not self._has_own_key())
        self.configurator.hide_key = not self.show_key.isChecked()
        if self.details is not None and self.client is not None:
            file = self._scan.status_of(self.client).file
            shown = connection if self.show_key.isChecked() else connection.with_masked_key()
            self.details.show_values(shown, file.path if file is not None else None)

    def _show_actions(self, client: Client, status: ClientStatus) -> None:
        state, file = status.state_of(client), status.file
        complete = state == "configured" and file is not None and self._scan.model in file.state.models
        self.configure.setVisible(client.is_served and client.configuration is not None and not complete)
        self.configure.setText(tr("&Update") if state in ("configured", "outdated") else tr("Con&figure for me"))
        self.configure.setEnabled(self._scan.address_known and state != "damaged")
        last = file.last if file is not None else None
        self.undo.setVisible(last is not None)
        if last is not None:
            when = formatting.relative_time(last.at, self._context.clock())
            self.undo.setToolTip(tr("Restore {path} as it was {when}").format(path=last.path, when=when))

    def _show_address(self, client: Client) -> None:
        stopped = self._context.server.is_down
        known = self._scan.address_known
        text = tr("The server is stopped. This will be its address.") if known else tr("The port is chosen at startup.")
        self.address.setText(text)
        self.address.setVisible(client.is_served and (stopped or not known))
        self.start.setVisible(client.is_served and stopped)

    def _show_models(self) -> None:
        box, names = self.models, self._scan.models
        box.blockSignals(True)
        if [box.itemText(row) for row in range(box.count())] != names:
            box.clear()
            box.addItems(names)
        if box.currentText() != self._scan.model:
            box.setCurrentText(self._scan.model)
        box.blockSignals(False)

    def _show_file_problem(self, problem: DragomanError | None) -> None:
        if problem is None and self._problem is not None:
            self.banner.clear_message()
        elif problem is not None and str(problem) != str(self._problem):
            self.banner.show_error(problem, actions=[(tr("Check again"), self._scan_again)])
        self._problem = problem

    def _scan_again(self) -> None:
        self._problem = None
        self._context.run(self._scan.scan_again(), name="scan clients", on_error=self._show_failure)

    def _start_server(self) -> None:
        self._context.run(self._context.server.start(), name="start the server", on_error=self._show_failure)

    def _show_failure(self, error: DragomanError) -> None:
        self.banner.show_error(error)
        self.ensureWidgetVisible(self.banner)

    def _scroll_to_change(self) -> None:
        self._column.activate()
        self.ensureWidgetVisible(self.change_panel, 0, 0)
        self.ensureWidgetVisible(self.change_panel.write, 0, 24)

    def _show_done(self, text: str) -> None:
        self.banner.clear_message()
        self._toast.show_message(text)
        self.test.setFocus()

    def _test_client(self) -> None:
        if self.client is not None:
            self.connection_test.test_client(self.client)

    def _choose_model(self, name: str) -> None:
        # The field is empty while the user replaces its text.
        if name.strip():
            self._scan.choose_model(name)

    def _replace_details(self, client: Client) -> None:
        if self.details is not None:
            self.details.hide()
            self.details.deleteLater()
        self.details = ConnectionDetails(client, self._connection, self._context)
        self._details_slot.addWidget(self.details)

    def _make_actions(self) -> None:
        self.configure = make_button(tr("Con&figure for me"), self.configurator.propose_configuration, role="primary")
        self.undo = make_button(tr("Undo..."), self.configurator.propose_undo, icon="mdi6.undo")
        self.test = make_button(
            tr("&Test"), self._test_client, icon="mdi6.send-outline", hint=tr("Sends one real request")
        )
        self.start = make_button(tr("Start the server"), self._start_server)
        self.show_key = make_button(tr("Show the key"), self.show_values, role="quiet", icon="mdi6.eye-outline")
        self.show_key.setCheckable(True)
        self.own_key = make_button(
            tr("Make a key for this client"),
            self._make_own_key,
            role="quiet",
            icon="mdi6.key-plus",
            hint=tr("A key of its own can have limits, and be revoked without changing other clients"),
        )
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
        # The line edit in the box takes the focus, and needs an accessible name of its own.
        cast(QLineEdit, self.models.lineEdit()).setAccessibleName(tr("Model"))
        self.address = make_label(role="warning")

    def _build_content(self) -> None:
        self._details_slot = QVBoxLayout()
        model = make_row(self._model_name, self.models, self.show_key, self.own_key, None)
        model.setStretch(1, 1)
        self._column = make_column(
            self.heading,
            self.unserved,
            self.banner,
            make_row(self.configure, self.test, self.undo, None),
            self.change_panel,
            self.connection_test,
            make_row(self.address, self.start, None),
            model,
            self._details_slot,
            self.note,
            None,
            spacing=16,
        )
        self._column.setContentsMargins(16, 16, 16, 16)
        content = self._content = QWidget()
        content.setLayout(self._column)
        self.setWidget(content)
        self.setWidgetResizable(True)
        # The scroll area draws the card's frame, so its content must be transparent.
        self.setProperty("role", "card")
        for plain in (content, self.viewport()):
            plain.setAutoFillBackground(False)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
