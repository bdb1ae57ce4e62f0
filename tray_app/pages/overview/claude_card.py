"""The card of the Claude Code program, its account and plan."""

from PySide6.QtWidgets import QWidget

from server.backends.claude_cli.account_check import account_kind
from server.core.errors import DragomanError
from server.core.events import CliChecked
from tray_app.context import Context
from tray_app.formatting import format_path
from tray_app.pages.overview.claude_actions import program_actions
from tray_app.pages.overview.claude_watch import ClaudeReport, ClaudeWatch, account_name
from tray_app.pages.overview.facts import Facts
from tray_app.pages.overview.problem_panel import ProblemPanel
from tray_app.pages.overview.sign_in_panel import SignInPanel
from tray_app.translation import tr
from tray_app.widgets import Busy, Card, make_button
from tray_app.window.layouts import make_row


class ClaudeCard(Card):
    """Shows the program and the account, and how to fix what is missing."""

    def __init__(self, context: Context) -> None:
        super().__init__(tr("Claude Code"))
        self._context = context
        self.watch = ClaudeWatch(context, self)
        self._busy = Busy(tr("Checking..."))
        self._check = make_button(tr("Check again"), self.check_again, role="quiet", icon="mdi6.refresh")
        self._facts = Facts(
            [
                ("account", tr("Account")),
                ("plan", tr("Plan")),
                ("version", tr("Version")),
                ("path", tr("Program")),
                ("speed", tr("Speed")),
            ]
        )
        self._problem_panel = ProblemPanel()
        self.sign_in = SignInPanel(context)
        self.sign_in.signed_in.connect(lambda: self.check_again(after_sign_in=True))
        self.sign_in.closed.connect(self._show_report)
        self._signing_in = self._sign_in_buttons()
        self.header.addWidget(self._busy)
        self.header.addWidget(self._check)
        for widget in (self._facts, self._problem_panel, self._signing_in, self.sign_in):
            self.body.addWidget(widget)
        self.body.addStretch(1)
        self._active = False
        self.watch.changed.connect(self._show_report)
        self.watch.changed.connect(self._check_if_unknown)
        context.server.changed.connect(self._check_if_unknown)
        context.bridge.cli_checked.connect(self._show_report)
        self._show_report()

    def set_active(self, active: bool) -> None:
        """Tell the card whether it is visible."""
        self._active = active
        self._check_if_unknown()

    def check_again(self, *, after_sign_in: bool = False) -> None:
        """Query the CLI again."""
        self._context.run(
            self.watch.check_again(after_sign_in=after_sign_in), name="query claude", on_error=self._show_check_error
        )

    def _check_if_unknown(self) -> None:
        # A starting server queries the CLI itself, and its report arrives here.
        if self._active and self.watch.report is None and not self._context.server.is_changing:
            self.check_again()

    def _show_report(self) -> None:
        report = self.watch.report or ClaudeReport()
        if self.watch.is_checking:
            self._busy.begin_work()
        else:
            self._busy.end_work()
        self._check.setEnabled(not self.watch.is_checking)
        known = report.problem is None and report.signed_in is not None
        signed_out = known and not report.signed_in
        self._facts.show_fact("account", _account_text(report))
        self._facts.show_fact("plan", _plan_text(report))
        self._facts.show_fact("version", report.version)
        self._facts.show_fact("path", format_path(report.path) if report.path else "")
        checked = self._context.bridge.cli_check
        self._facts.show_fact("speed", _speed_text(checked), _slow_reasons(checked))
        self._show_program_problem(report, checked)
        self._signing_in.setVisible(signed_out and self.sign_in.isHidden())
        if not signed_out and not self.sign_in.running:
            self.sign_in.hide()

    def _show_program_problem(self, report: ClaudeReport, checked: CliChecked) -> None:
        problem = report.problem
        if problem is None and checked.shortcomings:
            message = "\n".join(one.message for one in checked.shortcomings)
            hint = " ".join(dict.fromkeys(one.hint for one in checked.shortcomings))
            self._problem_panel.show_text(message, hint, role="warning")
        elif problem is None:
            self._problem_panel.clear_problem()
        elif self._problem_panel.show_problem(problem):
            actions = program_actions(self, self._context, report, self.check_again, self._show_check_error)
            self._problem_panel.offer_actions(problem, actions)

    def _show_check_error(self, error: DragomanError) -> None:
        self._problem_panel.show_problem(error)

    def _sign_in_buttons(self) -> QWidget:
        holder = QWidget()
        plan = make_button(tr("Sign in"), self._begin_sign_in, role="primary")
        console = make_button(
            tr("Sign in with a Console account"), lambda: self._begin_sign_in(console=True), role="quiet"
        )
        holder.setLayout(make_row(plan, console, None))
        return holder

    def _begin_sign_in(self, *, console: bool = False) -> None:
        report = self.watch.report
        if report is not None and report.path is not None:
            self.sign_in.begin_sign_in(report.path, console=console)
            self._signing_in.hide()


def _account_text(report: ClaudeReport) -> str:
    """The account's owner, or the kind of account where the CLI names none."""
    if report.signed_in is None:
        return ""
    if not report.signed_in:
        return tr("Not signed in")
    if name := account_name(report.account):
        return name
    return tr("Signed in") if _plan_text(report) else _capitalize_first(account_kind(report.account))


def _plan_text(report: ClaudeReport) -> str:
    """The plan's name, or an empty text."""
    plan = report.account.get("subscriptionType") if report.signed_in else None
    return str(plan).replace("_", " ").capitalize() if plan else ""


def _speed_text(checked: CliChecked) -> str:
    """Which fast paths requests take; empty while the program has not been checked."""
    if not checked.fast_paths:
        return ""
    if not checked.off:
        return tr("All fast paths")
    if len(checked.off) == 1:
        return tr("One fast path off")
    return tr("{count} fast paths off").format(count=len(checked.off))


def _slow_reasons(checked: CliChecked) -> str:
    """Which fast paths are off and why; otherwise empty."""
    return "\n".join(f"{_capitalize_first(name)}: {reason}" for name, reason in checked.off.items())


def _capitalize_first(text: str) -> str:
    return text[:1].upper() + text[1:]
