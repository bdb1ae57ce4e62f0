"""The settings of Claude Code processes: numbers and timeouts."""

from tray_app.context import Context
from tray_app.pages.settings.fields import TextField
from tray_app.pages.settings.section import Section
from tray_app.translation import tr


class ProcessesSection(Section):
    """Warm processes, limits and timeouts."""

    def __init__(self, context: Context) -> None:
        super().__init__(context, "processes", tr("Processes"))
        self._add_number(
            "spares",
            tr("Warm processes"),
            tr("Kept ready so new conversations start immediately. Each uses about 110 MB."),
        )
        self._add_number(
            "max_conversations", tr("Maximum conversations"), tr("Further requests wait for a free process.")
        )
        self._add_number("max_memory_mb", tr("Memory limit"), tr("For all Claude Code processes together."), "MB")
        self._add_seconds(
            "idle_seconds", tr("Close idle processes after"), tr("The conversation can continue later in a new one.")
        )
        self._add_seconds(
            "queue_seconds", tr("Queue timeout"), tr("Requests that wait longer for a free process are refused.")
        )
        self._add_seconds("hold_seconds", tr("Tool result timeout"), tr("How long a client may take to run its tools."))
        self._add_seconds(
            "first_event_timeout",
            tr("First-token timeout"),
            tr("Requests are cancelled if no answer has started by then."),
        )
        self._add_seconds("request_timeout", tr("Request timeout"), tr("Requests that take longer are cancelled."))

    def _add_number(self, name: str, label: str, help_text: str, unit: str = "") -> None:
        self.add_setting(name, label, help_text, TextField(short=True, unit=unit))

    def _add_seconds(self, name: str, label: str, help_text: str) -> None:
        self.add_setting(name, label, help_text, TextField(short=True, unit=tr("seconds")), keywords=tr("timeout time"))
