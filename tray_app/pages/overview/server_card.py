"""The card of the server: status, address, and the remedy for a problem."""

from PySide6.QtCore import QDateTime, QLocale

from server.core.errors import DragomanError, PortUnavailable, SettingsInvalid
from server.core.events import ServerState
from server.hosting.port_check import inspect_port
from tray_app import theme
from tray_app.context import Context
from tray_app.formatting import exact_time
from tray_app.models.status import Status, in_flight_line
from tray_app.pages.overview.port_problem import describe_port_problem, port_actions, port_free_text, start_action
from tray_app.pages.overview.problem_panel import ProblemPanel
from tray_app.server_control import ServerControl
from tray_app.translation import tr
from tray_app.widgets import Card, CopyButton, ElidedLabel, StatusDot, make_button
from tray_app.widgets.action_row import Action
from tray_app.window.labels import make_label
from tray_app.window.layouts import make_row


class ServerCard(Card):
    """Shows the server's status, and starts and stops it."""

    def __init__(self, context: Context) -> None:
        super().__init__(tr("Server"))
        self._context = context
        self._since: float | None = None
        self._state: ServerState | None = None
        self._dot = StatusDot()
        self._word = make_label(role="heading")
        self._detail = ElidedLabel()
        self._detail.setProperty("role", "muted")
        self._toggle = make_button(tr("Start server"), self._start_or_stop)
        self.header.addWidget(self._toggle)
        self._url = ElidedLabel()
        self._url.setProperty("role", "code")
        self._url.setAccessibleName(tr("Base URL"))
        self._problem_panel = ProblemPanel()
        self._fill_body()
        context.status.changed.connect(self._show_status)
        context.server.changed.connect(self._show_status)
        context.server.in_flight_changed.connect(self._show_status)
        context.settings_changed.connect(self._show_status)
        self._show_status()

    def _fill_body(self) -> None:
        state = make_row(self._dot, self._word, self._detail)
        state.setStretchFactor(self._detail, 1)
        copy = CopyButton(lambda: self._context.server.base_url)
        copy.setAccessibleName(tr("Copy the base URL"))
        address = make_row(self._url, copy)
        address.setStretchFactor(self._url, 1)
        self.body.addLayout(state)
        self.body.addLayout(address)
        self.body.addWidget(self._problem_panel)
        self.body.addStretch(1)

    def _show_status(self) -> None:
        server, status = self._context.server, self._context.status.current
        if server.state != self._state:
            self._state = server.state
            self._since = self._context.clock()
            # The address stays visible while the server is stopped, so that it can be copied.
            theme.apply_style(self._url, quiet=server.is_down)
        self._word.setText(status.word)
        self._toggle.setText(_toggle_label(server))
        self._dot.set_state(status.kind)
        self._detail.setText(self._detail_text())
        self._detail.setToolTip(exact_time(self._since))
        self._url.setText(server.base_url)
        self._show_server_problem(server.problem, status)

    def _detail_text(self) -> str:
        server = self._context.server
        if server.is_finishing:
            return self._context.status.current.line
        if server.in_flight:
            return in_flight_line(server.in_flight)
        services = server.services
        started_at = services.started_at if services is not None and server.state == "running" else self._since
        return tr("since {time}").format(time=_clock_time(started_at, self._context.clock()))

    def _show_server_problem(self, problem: DragomanError | None, status: Status) -> None:
        if problem is not None:
            if self._problem_panel.show_problem(problem):
                self._offer_remedies(problem)
        elif not status.reason:
            self._problem_panel.clear_problem()
        elif self._problem_panel.show_text(status.reason, role="warning") and (remedy := status.remedy) is not None:
            show: Action = (remedy.label, lambda: self._context.show_page(remedy.page, **remedy.details))
            # Another card of this page already has the button for a remedy here.
            self._problem_panel.offer_actions(DragomanError(status.reason), [] if remedy.page == "overview" else [show])

    def _offer_remedies(self, problem: DragomanError) -> None:
        if isinstance(problem, PortUnavailable):
            self._context.run(self._inspect_port(problem), name="inspect the port")
        elif isinstance(problem, SettingsInvalid):
            self._problem_panel.offer_actions(problem, [self._open_setting(problem)])

    async def _inspect_port(self, problem: PortUnavailable) -> None:
        """Show the buttons at once. Finding the program that uses the port takes longer."""
        context, show_problem = self._context, self._problem_panel.show_problem
        self._problem_panel.offer_actions(problem, await port_actions(context, problem, show_problem))
        report = await inspect_port(problem.host, problem.port)
        if report.free:
            self._problem_panel.offer_actions(
                problem, [start_action(context, show_problem)], text=port_free_text(problem)
            )
        else:
            self._problem_panel.replace_text(problem, describe_port_problem(report, problem))

    def _open_setting(self, problem: SettingsInvalid) -> Action:
        return tr("Change it in Settings"), lambda: self._context.show_page("settings", setting=problem.name)

    def _start_or_stop(self) -> None:
        # An error is also the server's problem, which this card shows.
        self._context.toggle_server(on_error=lambda _: None)


def _toggle_label(server: ServerControl) -> str:
    if server.is_finishing:
        return tr("Stop now")
    return tr("Start server") if server.is_down else tr("Stop server")


def _clock_time(epoch: float | None, now: float) -> str:
    """The time of day, with the date unless it is today's."""
    if epoch is None:
        return ""
    then, today = QDateTime.fromSecsSinceEpoch(int(epoch)), QDateTime.fromSecsSinceEpoch(int(now))
    short = QLocale.FormatType.ShortFormat
    return QLocale().toString(then.time(), short) if then.date() == today.date() else QLocale().toString(then, short)
