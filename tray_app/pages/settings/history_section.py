"""The settings of sessions and history."""

from tray_app.context import Context
from tray_app.pages.settings.expiry_field import ExpiryField
from tray_app.pages.settings.fields import SwitchField
from tray_app.pages.settings.section import Section
from tray_app.translation import tr


class HistorySection(Section):
    """Expiry, and what is recorded."""

    def __init__(self, context: Context) -> None:
        super().__init__(context, "history", tr("Sessions and history"))
        self.add_setting(
            "session_ttl_hours",
            tr("Delete sessions after"),
            tr("Counted from a session's last use. Pinned sessions stay."),
            ExpiryField(),
            keywords=tr("expiry expire hours never keep"),
        )
        self.add_setting(
            "history",
            tr("Keep sessions and requests"),
            tr("Off: nothing is saved; pages show only running requests."),
            SwitchField(),
            keywords=tr("history privacy"),
        )
        self.add_setting(
            "log_bodies",
            tr("Log request bodies"),
            tr("Records full prompts and answers for a request's details."),
            SwitchField(),
            keywords=tr("body logging privacy"),
        )
