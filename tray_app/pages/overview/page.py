"""The Overview page."""

from PySide6.QtCore import Qt

from tray_app.context import Context
from tray_app.pages.overview.card_grid import CardGrid
from tray_app.pages.overview.claude_card import ClaudeCard
from tray_app.pages.overview.key_card import KeyCard
from tray_app.pages.overview.plan_card import PlanCard
from tray_app.pages.overview.processes_card import ProcessesCard
from tray_app.pages.overview.server_card import ServerCard
from tray_app.pages.overview.usage_card import UsageCard
from tray_app.translation import tr
from tray_app.widgets import Toast, make_button
from tray_app.window.page import Page
from tray_app.window.page_scroll import PageScroll


class OverviewPage(Page):
    """A grid of cards, which read nothing while the page is hidden."""

    key = "overview"

    def __init__(self, context: Context) -> None:
        super().__init__(context, tr("Overview"), tr("Server status, account and recent activity."))
        self.header.addWidget(
            make_button(tr("Run the &guide again"), lambda: context.show_page("guide"), icon="mdi6.map-marker-path"),
            alignment=Qt.AlignmentFlag.AlignTop,
        )
        self.toast = Toast(self)
        self.server = ServerCard(context)
        self.api_key = KeyCard(context, self.toast.show_message)
        self.claude = ClaudeCard(context)
        self.plan = PlanCard(context)
        self.usage = UsageCard(context)
        self.processes = ProcessesCard(context)
        self.grid = CardGrid([(self.server, self.api_key), (self.claude, self.plan), (self.usage,), (self.processes,)])
        self.let_scroll()
        self.body.addWidget(PageScroll(self.grid))

    def activate(self) -> None:
        """Start updating the cards."""
        self.api_key.update_state()
        for card in (self.claude, self.plan, self.usage, self.processes):
            card.set_active(True)

    def deactivate(self) -> None:
        """Stop updating the cards."""
        for card in (self.claude, self.plan, self.usage, self.processes):
            card.set_active(False)

    def refresh(self) -> None:
        """Reload every card."""
        self.claude.check_again()
        self.usage.load_usage()
        self.processes.read_processes()
        self.api_key.update_state()

    async def finish_pending(self) -> None:
        """Cancel a running sign-in."""
        await self.claude.sign_in.cancel_and_wait()
