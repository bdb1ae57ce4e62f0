"""Claude Code: which program it is, and which account and plan it works for."""

from PySide6.QtWidgets import QHBoxLayout, QWidget

from server.backends.claude_cli.account_check import account_kind
from server.core.errors import TrayError
from tray_app.context import Context
from tray_app.formatting import format_path
from tray_app.pages.overview.claude_actions import program_actions
from tray_app.pages.overview.claude_watch import ClaudeReport, ClaudeWatch, account_name
from tray_app.pages.overview.facts import Facts
from tray_app.pages.overview.problem_panel import ProblemPanel
from tray_app.pages.overview.sign_in_panel import SignInPanel
from tray_app.translation import tr
from tray_app.widgets import Busy, Card, make_button


class ClaudeCard(Card):
    """The program and the account, and what to do where one of them is missing."""

    def __init__(self, context: Context) -> None:
        super().__init__(tr("Claude Code"))
        self._context = context
        self.watch = ClaudeWatch(context, self)
        self._busy = Busy(tr("Checking..."))
        self._check = make_button(tr("Check again"), self.look, role="quiet", icon="mdi6.refresh")
        self._facts = Facts(
            [
                ("account", tr("Account")),
                ("plan", tr("Plan")),
                ("version", tr("Version")),
                ("path", tr("Program")),
            ]
        )
        self._problem_panel = ProblemPanel()
        self.sign_in = SignInPanel(context)
        self.sign_in.signed_in.connect(lambda: self.look(after_sign_in=True))
        self.sign_in.closed.connect(self._show)
        self._signing_in = self._sign_in_buttons()
        self.header.addWidget(self._busy)
        self.header.addWidget(self._check)
        for widget in (self._facts, self._problem_panel, self._signing_in, self.sign_in):
            self.body.addWidget(widget)
        self.body.addStretch(1)
        self._active = False
        self.watch.changed.connect(self._show)
        self.watch.changed.connect(self._look_if_unknown)
        context.server.changed.connect(self._look_if_unknown)
        self._show()

    def set_active(self, active: bool) -> None:
        """Whether the card is seen."""
        self._active = active
        self._look_if_unknown()

    def look(self, *, after_sign_in: bool = False) -> None:
        """Ask the CLI again."""
        self._context.run(self.watch.look(after_sign_in=after_sign_in), name="look at claude", on_error=self._fail)

    def _look_if_unknown(self) -> None:
        # A server that starts asks by itself.
        if self._active and self.watch.report is None and not self._context.server.is_changing:
            self.look()

    def _show(self) -> None:
        report = self.watch.report or ClaudeReport()
        if self.watch.looking:
            self._busy.begin_work()
        else:
            self._busy.end_work()
        self._check.setEnabled(not self.watch.looking)
        known = report.problem is None and report.signed_in is not None
        signed_out = known and not report.signed_in
        self._facts.show_fact("account", _account(report))
        self._facts.show_fact("plan", _plan(report))
        self._facts.show_fact("version", report.version)
        self._facts.show_fact("path", format_path(report.path) if report.path else "")
        self._show_problem(report)
        self._signing_in.setVisible(signed_out and self.sign_in.isHidden())
        if not signed_out and not self.sign_in.running:
            self.sign_in.hide()

    def _show_problem(self, report: ClaudeReport) -> None:
        problem = report.problem
        if problem is None:
            self._problem_panel.clear()
        elif self._problem_panel.show_problem(problem):
            actions = program_actions(self, self._context, report, self.look, self._fail)
            self._problem_panel.offer(problem, actions)

    def _fail(self, error: TrayError) -> None:
        self._problem_panel.show_problem(error)

    def _sign_in_buttons(self) -> QWidget:
        holder = QWidget()
        row = QHBoxLayout(holder)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(8)
        row.addWidget(make_button(tr("Sign in"), self._begin, role="primary"))
        row.addWidget(
            make_button(tr("Sign in with a Console account"), lambda: self._begin(console=True), role="quiet")
        )
        row.addStretch(1)
        return holder

    def _begin(self, *, console: bool = False) -> None:
        report = self.watch.report
        if report is not None and report.path is not None:
            self.sign_in.begin(report.path, console=console)
            self._signing_in.hide()


def _account(report: ClaudeReport) -> str:
    """Whose account it is, or else in words what Claude Code is signed in with."""
    if report.signed_in is None:
        return ""
    if not report.signed_in:
        return tr("Not signed in")
    if name := account_name(report.account):
        return name
    return tr("Signed in") if _plan(report) else _sentence(account_kind(report.account))


def _plan(report: ClaudeReport) -> str:
    """The plan's name, where there is one."""
    plan = report.account.get("subscriptionType") if report.signed_in else None
    return str(plan).replace("_", " ").capitalize() if plan else ""


def _sentence(words: str) -> str:
    return words[:1].upper() + words[1:]
