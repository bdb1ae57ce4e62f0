"""Where the server listens."""

import asyncio

from PySide6.QtCore import QTimer

from server.config.addresses import is_this_computer
from server.core.errors import PortUnavailable, SetupError, TrayError
from tray_app.context import Context
from tray_app.pages.settings.addresses import choices, own_addresses
from tray_app.pages.settings.fields import ChoiceField, TextField
from tray_app.pages.settings.ports import at_once, in_full, trouble_with
from tray_app.pages.settings.section import Section
from tray_app.translation import tr
from tray_app.widgets.action_row import Action

REST_MS = 300
"""After so long without a key the port that was typed is looked at."""


class ServerSection(Section):
    """Port and address. A port is looked at while it is typed; nobody who holds one is ever disturbed."""

    def __init__(self, context: Context) -> None:
        super().__init__(context, "server", tr("Server"))
        self.port = TextField(short=True)
        self.bound_port = self.setting(
            "port",
            tr("Port"),
            tr("Part of the base URL. 0 picks any free port."),
            self.port,
        )
        self.bound_port.refusal = self._port_refused
        self.bound_port.saved.connect(lambda: self._look_again())
        self.host = ChoiceField(choices([]))
        self.bound_host = self.setting(
            "host",
            tr("Listen on"),
            tr("Who can reach the server: only this computer, or your network as well."),
            self.host,
            words=tr("address network LAN"),
        )
        self._rest = QTimer(self, singleShot=True, interval=REST_MS)
        self._rest.timeout.connect(self.look)
        self.port.edited.connect(self._rest.start)
        self._looks = 0
        context.settings_changed.connect(self._warn)
        context.server.changed.connect(self._look_again)
        self._warn()

    def activate(self) -> None:
        self.context.run(self._find_addresses(), name="find the addresses of this computer")
        self._look_again()

    def look(self) -> None:
        """See whether the port that is there can be had, and say so if it cannot."""
        self._rest.stop()
        self._looks += 1
        if problem := self.bound_port.value.problem_with(self.port.value()):
            self.bound_port.row.show_problem(problem)
            return
        self.context.run(
            self._look(self.bound_port.value.read(self.port.value()), self._looks), name="look at the port"
        )

    async def _look(self, port: int, number: int) -> None:
        host = self.context.settings.host
        error = await trouble_with(self.context, host, port)
        if error is not None:
            await self._explain(error, host, port, number)
        elif number == self._looks:
            self.bound_port.row.clear_message()

    def _offer(self, port: int | None) -> list[Action]:
        return [] if port is None else [(tr("Use {port}").format(port=port), lambda: self._use(port))]

    def _use(self, port: int) -> None:
        self.port.edit.setText(str(port))
        self.bound_port.commit()

    def _port_refused(self, error: TrayError) -> bool:
        if not isinstance(error, PortUnavailable):
            return False
        self._looks += 1
        work = self._explain(error, error.host, error.port, self._looks)
        self.context.run(work, name="look at the port")
        return True

    async def _explain(self, error: SetupError, host: str, port: int, number: int) -> None:
        """That it cannot be had at once, and who has it when that is found out, unless another was typed meanwhile."""
        trouble = await at_once(error, host, port)
        if number != self._looks:
            return
        self.bound_port.row.show_problem(trouble.words, self._offer(trouble.next_free))
        if isinstance(error, PortUnavailable) and (words := await in_full(error)) and number == self._looks:
            self.bound_port.row.show_problem(words, self._offer(trouble.next_free))

    def _look_again(self) -> None:
        """A server that runs has its port; one that does not may find it taken."""
        if self.port.dirty or not self.isVisible():
            return
        if self.context.server.state == "running":
            self._looks += 1
            self.bound_port.row.clear_message()
        elif not self.context.server.is_changing:
            self.look()

    async def _find_addresses(self) -> None:
        own = await asyncio.to_thread(own_addresses)
        self.host.set_choices(choices(own))
        self.bound_host.refresh()

    def _warn(self) -> None:
        settings = self.context.settings
        row = self.bound_host.row
        if is_this_computer(settings.host):
            row.show_warning("muted", "")
        elif settings.api_key_required:
            row.show_warning(
                "warning",
                tr("Other computers on your network can reach the server with the API key, which is sent unencrypted."),
            )
        else:
            row.show_warning(
                "error",
                tr(
                    "Anyone on your network can use your Claude account: no API key is required. Require "
                    "one under Access."
                ),
            )
