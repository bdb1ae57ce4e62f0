"""The settings of the server's port and address."""

import asyncio

from PySide6.QtCore import QTimer

from server.config.addresses import is_this_computer
from server.core.errors import DragomanError, PortUnavailable, SetupError
from tray_app.context import Context
from tray_app.pages.settings.addresses import address_choices, own_addresses
from tray_app.pages.settings.fields import ChoiceField, PortsField, TextField
from tray_app.pages.settings.ports import check_new_port, name_port_holder, suggest_free_port
from tray_app.pages.settings.section import Section
from tray_app.translation import tr
from tray_app.widgets.action_row import Action

TYPING_PAUSE_MS = 300
"""Pause in typing after which the port is checked."""


class ServerSection(Section):
    """Port and address. Checks the port while the user types."""

    def __init__(self, context: Context) -> None:
        super().__init__(context, "server", tr("Server"))
        self.port = TextField(short=True)
        self.bound_port = self.add_setting(
            "port",
            tr("Port"),
            tr("Part of the base URL. 0 picks any free port."),
            self.port,
        )
        self.bound_port.refusal = self._port_refused
        self.bound_port.saved.connect(lambda: self._check_port_again())
        self.add_setting(
            "extra_ports",
            tr("Also listen on"),
            tr("For programs that cannot be told a port. A port in use is skipped, with a notice."),
            PortsField(
                [
                    ("", tr("No other port")),
                    ("11434", tr("Ollama's port, 11434")),
                    ("1234", tr("LM Studio's port, 1234")),
                    ("11434, 1234", tr("Both: 11434 and 1234")),
                ]
            ),
            keywords=tr("extra ports Ollama LM Studio"),
        )
        self.host = ChoiceField(address_choices([]))
        self.bound_host = self.add_setting(
            "host",
            tr("Listen on"),
            tr("Who can reach the server: only this computer, or your network as well."),
            self.host,
            keywords=tr("address network LAN"),
        )
        self._typing_pause = QTimer(self, singleShot=True, interval=TYPING_PAUSE_MS)
        self._typing_pause.timeout.connect(self.check_port)
        self.port.edited.connect(self._typing_pause.start)
        self._port_checks = 0
        """Counts checks of the port: an outdated check must not overwrite the result of a later one."""
        context.settings_changed.connect(self._warn_if_exposed)
        context.server.changed.connect(self._check_port_again)
        self._warn_if_exposed()

    def activate(self) -> None:
        self.context.run(self._find_addresses(), name="find the addresses of this computer")
        self._check_port_again()

    def check_port(self) -> None:
        """Check the port in the field, and show why it is not available."""
        self._typing_pause.stop()
        self._port_checks += 1
        if problem := self.bound_port.value.problem_with(self.port.entered_value()):
            self.bound_port.row.show_problem(problem)
            return
        self.context.run(
            self._run_port_check(self.bound_port.value.parse_typed(self.port.entered_value()), self._port_checks),
            name="check the port",
        )

    async def _run_port_check(self, port: int, number: int) -> None:
        host = self.context.settings.host
        error = await check_new_port(self.context, host, port)
        if error is not None:
            await self._explain_problem(error, host, port, number)
        elif number == self._port_checks:
            self.bound_port.row.clear_message()

    def _offer_port(self, port: int | None) -> list[Action]:
        return [] if port is None else [(tr("Use {port}").format(port=port), lambda: self._use_port(port))]

    def _use_port(self, port: int) -> None:
        self.port.edit.setText(str(port))
        self.bound_port.commit_edit()

    def _port_refused(self, error: DragomanError) -> bool:
        if not isinstance(error, PortUnavailable):
            return False
        self._port_checks += 1
        work = self._explain_problem(error, error.host, error.port, self._port_checks)
        self.context.run(work, name="check the port")
        return True

    async def _explain_problem(self, error: SetupError, host: str, port: int, number: int) -> None:
        """Show the problem at once, and later the program that uses the port."""
        problem = await suggest_free_port(error, host, port)
        if number != self._port_checks:
            return
        self.bound_port.row.show_problem(problem.reason, self._offer_port(problem.next_free))
        if (
            isinstance(error, PortUnavailable)
            and (text := await name_port_holder(error))
            and number == self._port_checks
        ):
            self.bound_port.row.show_problem(text, self._offer_port(problem.next_free))

    def _check_port_again(self) -> None:
        """Check the port again, unless the server runs and so has bound it."""
        if self.port.dirty or not self.isVisible():
            return
        if self.context.server.state == "running":
            self._port_checks += 1
            self.bound_port.row.clear_message()
        elif not self.context.server.is_changing:
            self.check_port()

    async def _find_addresses(self) -> None:
        own = await asyncio.to_thread(own_addresses)
        self.host.set_choices(address_choices(own))
        self.bound_host.refresh()

    def _warn_if_exposed(self) -> None:
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
