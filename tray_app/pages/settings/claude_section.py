"""The settings of Claude Code, and of the Anthropic API as its fallback."""

import asyncio
from pathlib import Path

from server.backends.claude_cli.account_check import check_claude
from server.backends.claude_cli.transport.locate import locate_cli
from server.core.check import Check
from server.core.errors import CliNotFound
from tray_app.context import Context
from tray_app.pages.settings.anthropic_key import AnthropicKeyRow
from tray_app.pages.settings.fields import SwitchField, TextField
from tray_app.pages.settings.section import Section
from tray_app.translation import tr
from tray_app.widgets import Busy, make_button
from tray_app.window.file_dialogs import ask_for_claude


class ClaudeSection(Section):
    """Program, test, user settings, and the fallback with its key."""

    def __init__(self, context: Context) -> None:
        super().__init__(context, "claude", tr("Claude Code"))
        self.path = TextField()
        self.program = self.add_setting(
            "claude_path",
            tr("Program"),
            tr("The claude program. Leave empty to find it automatically."),
            self.path,
            keywords=tr("CLI path executable detect"),
        )
        self.browse = make_button(tr("Browse..."), self._ask_for_program)
        self.browse.setEnabled(not self.program.value.fixed_by())
        self.test_button = make_button(tr("Test"), self.test_program)
        self.busy = Busy(tr("Checking Claude Code..."))
        self.program.row.add_below(self.browse, self.test_button)
        self.program.row.add_below(self.busy)
        self._testing: asyncio.Task[None] | None = None
        self.add_setting(
            "load_user_settings",
            tr("Load my Claude Code settings"),
            tr("Needed for Bedrock, Vertex or an apiKeyHelper. Your hooks do not run."),
            SwitchField(),
            keywords=tr("user settings settings.json"),
        )
        self._add_fallback()

    def _add_fallback(self) -> None:
        self.anthropic_key = AnthropicKeyRow(self.context)
        self.add_row(self.anthropic_key)
        self.add_setting(
            "anthropic_fallback",
            tr("Use my Anthropic API key"),
            tr(
                "When Claude Code is missing, signed out, or does not have what a request asks for, such as MCP "
                "servers. Each of these answers costs money."
            ),
            SwitchField(),
            keywords=tr("fallback billing"),
        )
        self.add_setting(
            "fallback_on_plan_limit",
            tr("Also when my plan is used up"),
            tr("Otherwise requests fail until the plan's limit resets."),
            SwitchField(),
            keywords=tr("fallback plan limit billing"),
        )
        self.add_setting(
            "api_usd_a_day",
            tr("Daily limit"),
            tr("The most that my API key may be charged on a day, in US dollars. 0 for no limit."),
            TextField(unit=tr("US dollars"), short=True),
            keywords=tr("budget money cap cost"),
        )
        self.add_setting(
            "api_usd_a_month",
            tr("Monthly limit"),
            tr("The same for a calendar month."),
            TextField(unit=tr("US dollars"), short=True),
            keywords=tr("budget money cap cost"),
        )

    def activate(self) -> None:
        self.context.run(self._detect_program(), name="locate Claude Code")
        self.anthropic_key.check_stored()

    def deactivate(self) -> None:
        super().deactivate()
        self.anthropic_key.clear_typed()

    def test_program(self) -> None:
        """Check the program named in the field, and its account."""
        if problem := self.program.value.problem_with(self.path.entered_value()):
            self.program.row.show_problem(problem)
            return
        self._cancel_checks()
        self.test_button.setEnabled(False)
        self.busy.begin_work(on_cancel=self._cancel_checks)
        self._testing = self.context.run(
            self._run_checks(self.program.value.parse_typed(self.path.entered_value())), name="test Claude Code"
        )

    async def _run_checks(self, path: Path | None) -> None:
        try:
            checks = await check_claude(path, load_user_settings=self.context.settings.load_user_settings)
        finally:
            self.busy.end_work()
            self.test_button.setEnabled(True)
        self._show_checks(checks)

    def _show_checks(self, checks: list[Check]) -> None:
        row = self.program.row
        text = "\n".join(f"{check.detail[:1].upper()}{check.detail[1:].rstrip('.')}." for check in checks)
        failed = [check for check in checks if check.status == "fail"]
        row.clear_message()
        if not failed:
            row.show_note("ok", text)
        elif len(checks) > 1:  # the program works, but is not signed in
            row.show_note("warning", text, [(tr("Sign in on Overview"), lambda: self.context.show_page("overview"))])
        else:
            row.show_problem(f"{text} {failed[0].hint}".strip())

    def _cancel_checks(self) -> None:
        if self._testing is not None:
            self._testing.cancel()

    def _ask_for_program(self) -> None:
        ask_for_claude(self, self.context.settings.claude_path, self._set_program)

    def _set_program(self, path: Path) -> None:
        self.path.edit.setText(str(path))
        self.program.commit_edit()

    async def _detect_program(self) -> None:
        try:
            found = str(await asyncio.to_thread(locate_cli))
        except CliNotFound:
            found = tr("not found on this computer")
        self.path.edit.setPlaceholderText(found)
        self.path.edit.setToolTip(found)
