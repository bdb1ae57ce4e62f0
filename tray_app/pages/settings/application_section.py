"""The settings of the desktop application itself."""

import asyncio
from typing import Any

from tray_app.context import Context
from tray_app.pages.settings.binding import Value
from tray_app.pages.settings.fields import ChoiceField, SwitchField
from tray_app.pages.settings.section import Section
from tray_app.preferences import ThemeChoice
from tray_app.translation import tr
from tray_app.updates import built_in
from tray_app.widgets import make_button


class StartAtLogin(Value):
    """The system's start-at-login entry, read in a thread by `read_enabled`."""

    name = "start_at_login"

    def __init__(self, context: Context) -> None:
        self._autostart = context.autostart
        self._enabled = False

    async def read_enabled(self) -> None:
        self._enabled = await asyncio.to_thread(self._autostart.is_enabled)

    def current_value(self) -> bool:
        return self._enabled

    def default_value(self) -> bool:
        return self._enabled  # there is no default to reset to

    async def save_value(self, value: Any) -> None:
        try:
            await asyncio.to_thread(self._autostart.enable if value else self._autostart.disable)
        finally:
            await self.read_enabled()


class ThemeValue(Value):
    """The colour theme: a preference, not a setting of the server."""

    name = "theme"

    def __init__(self, context: Context) -> None:
        self._context = context

    def current_value(self) -> ThemeChoice:
        return self._context.preferences.theme

    def default_value(self) -> ThemeChoice:
        return "system"

    async def save_value(self, value: Any) -> None:
        self._context.preferences.theme = value
        self._context.theme.set_choice(value)


class ApplicationSection(Section):
    """Start at login, theme, log level and updates."""

    def __init__(self, context: Context) -> None:
        super().__init__(context, "application", tr("Application"))
        self._login = StartAtLogin(context)
        self.at_login = self.bind_value(
            self._login,
            tr("Start at login"),
            tr("In the tray, without a window. Creates {place}.").format(place=context.autostart.description),
            SwitchField(),
            keywords=tr("autostart startup boot"),
        )
        themes = [("system", tr("Same as system")), ("light", tr("Light")), ("dark", tr("Dark"))]
        self.theme = self.bind_value(ThemeValue(context), tr("Theme"), tr("The window's colours."), ChoiceField(themes))
        levels = [
            ("debug", tr("Debug (everything)")),
            ("info", tr("Info")),
            ("warning", tr("Warnings and errors")),
            ("error", tr("Errors only")),
        ]
        self.add_setting("log_level", tr("Log level"), tr("Level of detail in the log file."), ChoiceField(levels))
        if built_in.UPDATE_CHECKS:
            self._add_updates()
        context.preferences.changed.connect(lambda _: self.theme.refresh())

    def _add_updates(self) -> None:
        feed = self.context.updates.feed
        help_text = tr(
            "Once a day, asks {host} for the list of releases. Nothing about you is sent, and nothing is downloaded."
        ).format(host=feed.host if feed else "")
        nowhere = tr("This build names no place for releases, so there is nothing to check.")
        self.updates = self.add_setting(
            "check_updates",
            tr("Check for updates"),
            help_text if feed else nowhere,
            SwitchField(),
            keywords=tr("new version upgrade release"),
        )
        self.check_now = make_button(tr("Check for updates now"), lambda: self.context.show_page("updates", check=True))
        self.updates.row.add_below(self.check_now)

    def activate(self) -> None:
        self.context.run(self._read_login_state(), name="read start at login", on_error=self.at_login.row.show_error)

    async def _read_login_state(self) -> None:
        await self._login.read_enabled()
        self.at_login.refresh()
