"""What is kept of requests and conversations, and for how long."""

from tray_app.context import Context
from tray_app.pages.settings.expiry_field import ExpiryField
from tray_app.pages.settings.fields import SwitchField
from tray_app.pages.settings.section import Section
from tray_app.translation import tr


class HistorySection(Section):
    """Expiry, and what is written down at all."""

    def __init__(self, context: Context) -> None:
        super().__init__(context, "history", tr("Sessions and history"))
        self.add_setting(
            "session_ttl_hours",
            tr("Delete sessions after"),
            tr("Counted from a session's last use. Pinned sessions stay."),
            ExpiryField(),
            words=tr("expiry expire hours never keep"),
        )
        self.add_setting(
            "history",
            tr("Keep sessions and requests"),
            tr("Off: nothing is saved; pages show only running requests."),
            SwitchField(),
            words=tr("history privacy"),
        )
        self.add_setting(
            "log_bodies",
            tr("Log request bodies"),
            tr("Records full prompts and answers for a request's details."),
            SwitchField(),
            words=tr("body logging privacy"),
        )
