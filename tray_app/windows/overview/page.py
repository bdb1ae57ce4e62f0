"""Overview: whether it works, on which address, for whom, and what it does."""

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QHBoxLayout, QScrollArea, QVBoxLayout

from tray_app.context import Context
from tray_app.translation import tr
from tray_app.widgets import Toast, button
from tray_app.windows.overview.card_grid import CardGrid
from tray_app.windows.overview.claude_card import ClaudeCard
from tray_app.windows.overview.key_card import KeyCard
from tray_app.windows.overview.plan_card import PlanCard
from tray_app.windows.overview.processes_card import ProcessesCard
from tray_app.windows.overview.server_card import ServerCard
from tray_app.windows.overview.usage_card import UsageCard
from tray_app.windows.page import MARGIN, Page

SCROLL_ROOM = 16


class OverviewPage(Page):
    """A card for each thing that a person looks after. Nothing is read while the page is not seen."""

    key = "overview"

    def __init__(self, context: Context) -> None:
        super().__init__(
            context, tr("Overview"), tr("Whether the server works, for whom, and what it has done lately.")
        )
        self.header.addWidget(
            button(tr("Run the guide again"), lambda: context.show("guide"), icon="mdi6.map-marker-path"),
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
        self.body.addWidget(_scrolled(self.grid))
        self._make_room_for_the_bar()

    def activate(self) -> None:
        """Begin to follow what changes."""
        self.api_key.update_state()
        for card in (self.claude, self.plan, self.usage, self.processes):
            card.set_active(True)

    def deactivate(self) -> None:
        """Follow nothing any more."""
        for card in (self.claude, self.plan, self.usage, self.processes):
            card.set_active(False)

    def refresh(self) -> None:
        """Look at everything again."""
        self.claude.look()
        self.usage.load()
        self.processes.look()
        self.api_key.update_state()

    def _make_room_for_the_bar(self) -> None:
        """The scroll bar stands in the page's margin, beside the cards; what is above them ends where they end."""
        column = self.layout()
        if isinstance(column, QVBoxLayout):
            column.setContentsMargins(MARGIN, MARGIN, MARGIN - SCROLL_ROOM, MARGIN)
            column.removeWidget(self.banner)
            row = QHBoxLayout()
            row.setContentsMargins(0, 0, SCROLL_ROOM, 0)
            row.addWidget(self.banner)
            column.insertLayout(1, row)
        self.header.setContentsMargins(0, 0, SCROLL_ROOM, 0)

    async def settle(self) -> None:
        """A sign-in that nobody can finish any more is given up."""
        await self.claude.sign_in.settle()


def _scrolled(grid: CardGrid) -> QScrollArea:
    area = QScrollArea()
    area.setWidget(grid)
    area.setWidgetResizable(True)
    area.setFrameShape(QFrame.Shape.NoFrame)
    area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
    bar = area.verticalScrollBar()

    def keep_width(least: int, most: int) -> None:
        # Whether the bar is there or not, the cards are as wide as before.
        grid.setContentsMargins(0, 0, SCROLL_ROOM - (bar.sizeHint().width() if most > least else 0), 0)

    bar.rangeChanged.connect(keep_width)
    keep_width(0, 0)
    return area
