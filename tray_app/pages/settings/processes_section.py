"""How many Claude Code processes there may be, and how long each thing may take."""

from tray_app.context import Context
from tray_app.pages.settings.fields import TextField
from tray_app.pages.settings.section import Section
from tray_app.translation import tr


class ProcessesSection(Section):
    """Warm processes, caps and times."""

    def __init__(self, context: Context) -> None:
        super().__init__(context, "processes", tr("Processes"))
        self._number(
            "spares",
            tr("Warm processes"),
            tr("Kept ready, so that a new conversation starts at once. Each takes about 200 MB."),
        )
        self._number("max_conversations", tr("Conversations at a time"), tr("More than these wait for a free process."))
        self._number("max_memory_mb", tr("Memory limit"), tr("For all Claude Code processes together."), "MB")
        self._seconds(
            "idle_seconds", tr("End idle processes after"), tr("The conversation goes on later in a new one.")
        )
        self._seconds("queue_seconds", tr("Wait for a free process"), tr("A request that waits longer is refused."))
        self._seconds("hold_seconds", tr("Wait for tool results"), tr("How long a client may take to run its tools."))
        self._seconds(
            "first_event_timeout",
            tr("Wait for the first word"),
            tr("An answer that has not begun by then is given up."),
        )
        self._seconds("request_timeout", tr("Time for a request"), tr("An answer that takes longer is ended."))

    def _number(self, name: str, label: str, help_text: str, unit: str = "") -> None:
        self.setting(name, label, help_text, TextField(short=True, unit=unit))

    def _seconds(self, name: str, label: str, help_text: str) -> None:
        self.setting(name, label, help_text, TextField(short=True, unit=tr("seconds")), words=tr("timeout time"))
