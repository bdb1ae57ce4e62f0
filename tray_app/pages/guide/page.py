"""The guide shown on the first start: four checks before connecting a client."""

from functools import partial

from PySide6.QtWidgets import QWidget

from server.core.errors import DragomanError, PortUnavailable
from tray_app import theme
from tray_app.context import Context
from tray_app.pages.guide.findings import (
    Finding,
    account_finding,
    key_finding,
    port_finding,
    program_finding,
)
from tray_app.pages.guide.step_card import StepCard
from tray_app.pages.guide.update_offer import UpdateOffer
from tray_app.pages.overview.claude_actions import program_actions
from tray_app.pages.overview.claude_watch import ClaudeWatch
from tray_app.pages.overview.port_problem import port_actions
from tray_app.pages.overview.sign_in_panel import SignInPanel
from tray_app.translation import tr
from tray_app.widgets import make_button
from tray_app.widgets.action_row import Action
from tray_app.window.layouts import make_column, make_row
from tray_app.window.page import Page
from tray_app.window.page_scroll import PageScroll

WIDTH = 760


class GuidePage(Page):
    """Runs all checks when it is shown, and single ones on request."""

    key = "guide"

    def __init__(self, context: Context) -> None:
        super().__init__(context, tr("Welcome"), tr("Four checks before your tools can use Claude Code."))
        self.watch = ClaudeWatch(context, self)
        self.sign_in = SignInPanel(context)
        self.sign_in.signed_in.connect(lambda: self._check_claude(after_sign_in=True))
        self.sign_in.closed.connect(self._show_claude)
        self.program = StepCard(context, tr("Claude Code"), self._check_claude)
        self.account = StepCard(context, tr("Your account"), self._check_claude, extra=self.sign_in)
        self.port = StepCard(context, tr("The server"), self.check_port)
        self.api_key = StepCard(context, tr("API key"), self.check_key)
        self.steps = (self.program, self.account, self.port, self.api_key)
        self.updates = UpdateOffer(context)
        self._leave_button = make_button(tr("S&kip the guide"), lambda: self._leave_guide("overview"))
        self._connect = make_button(tr("&Connect a client"), lambda: self._leave_guide("clients"))
        self._arrange_steps()
        self.watch.changed.connect(self._show_claude)
        context.server.changed.connect(self._follow_server)
        context.settings_changed.connect(self._follow_settings)
        self._port_checks = 0
        """Counts checks of the port: an outdated check must not overwrite the finding of a later one."""
        self._seen = False
        self._server_state = context.server.state

    def activate(self) -> None:
        """Run all checks."""
        self._seen = True
        self._server_state = self.context.server.state
        self.refresh()

    def deactivate(self) -> None:
        """Stop following the server and the settings."""
        self._seen = False

    def refresh(self) -> None:
        """Run all checks again."""
        self._check_claude()
        self.check_port()
        self.check_key()

    async def finish_pending(self) -> None:
        """Cancel a running sign-in."""
        await self.sign_in.cancel_and_wait()

    def check_port(self) -> None:
        """Check whether the server runs or could run."""
        self.port.begin_check()
        self.context.run(
            self._run_port_check(), name="check the port", on_error=partial(self._show_step_error, self.port)
        )

    def check_key(self) -> None:
        """Check whether there is a key, and create a missing one."""
        self.api_key.begin_check()
        self.context.run(
            self._run_key_check(), name="check the key", on_error=partial(self._show_step_error, self.api_key)
        )

    def _check_claude(self, *, after_sign_in: bool = False) -> None:
        self.context.run(self.watch.check_again(after_sign_in=after_sign_in), name="query claude")

    async def _run_port_check(self) -> None:
        self._port_checks += 1
        number = self._port_checks
        finding = await port_finding(self.context)
        if number != self._port_checks:
            return  # a later check has started
        actions: list[Action] = []
        if isinstance(finding.error, PortUnavailable):
            actions = await port_actions(self.context, finding.error, partial(self._show_step_error, self.port))
        elif self.context.server.is_down:
            actions = [(tr("Start the server"), self._start_server)]
        self._show_step(self.port, finding, actions)

    async def _run_key_check(self) -> None:
        finding = await key_finding(self.context)
        actions: list[Action] = []
        if not self.context.settings.api_key_required:
            actions = [(tr("Require a key"), self._require_key)]
        elif finding.status != "ok":
            actions = [(tr("Choose where to keep it..."), lambda: self._open_setting("key_storage"))]
        self._show_step(self.api_key, finding, actions)

    def _show_claude(self) -> None:
        report = self.watch.report
        if self.watch.is_checking or report is None:
            self.program.begin_check()
            self.account.begin_check()
            return
        fail = partial(self._show_step_error, self.program)
        found = report.problem is None
        actions = [] if found else program_actions(self, self.context, report, self._check_claude, fail)
        self._show_step(self.program, program_finding(report), actions)
        account = account_finding(report)
        if account.status != "needs_you" and not self.sign_in.running:
            self.sign_in.hide()
        offered = account.status == "needs_you" and self.sign_in.isHidden()
        self._show_step(self.account, account, [(tr("Sign in"), self._sign_in)] if offered else [])

    def _sign_in(self) -> None:
        report = self.watch.report
        if report is not None and report.path is not None:
            self.sign_in.begin_sign_in(report.path)
            self._show_claude()

    def _start_server(self) -> None:
        # The check that follows finds the error.
        self.context.run(self.context.server.start(), name="start", on_error=lambda _: self.check_port())

    def _require_key(self) -> None:
        change = self.context.change_settings({"api_key_required": True})
        self.context.run(change, name="require a key", on_error=partial(self._show_step_error, self.api_key))

    def _open_setting(self, name: str) -> None:
        self.context.show_page("settings", setting=name)

    def _follow_server(self) -> None:
        state = self.context.server.state
        if self._seen and state != self._server_state:
            self._server_state = state
            self.check_port()

    def _follow_settings(self) -> None:
        if self._seen:
            self.check_key()
            self.check_port()

    def _show_step_error(self, step: StepCard, error: DragomanError) -> None:
        self._show_step(step, Finding("needs_you", error.message, error.hint, error=error), [])

    def _show_step(self, step: StepCard, finding: Finding, actions: list[Action]) -> None:
        step.show_finding(finding, actions)
        ready = all(step.finding.status in ("ok", "warning") for step in self.steps)
        self._leave_button.setText(tr("&Done") if ready else tr("S&kip the guide"))
        # Connecting a client is the next step only when all checks have passed.
        theme.apply_style(self._connect, role="primary" if ready else "")

    def _leave_guide(self, page: str) -> None:
        self.context.preferences.guide_done = True
        self.context.show_page(page)

    def _arrange_steps(self) -> None:
        foot = make_row(self._connect, self._leave_button, None)
        foot.setContentsMargins(0, 8, 0, 0)
        content = QWidget()
        content.setLayout(make_column(*self.steps, self.updates, foot, None))
        content.setMaximumWidth(WIDTH)
        self.let_scroll()
        self.body.addWidget(PageScroll(content))
