"""What few people need, and where the files are."""

import asyncio
from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import Qt, QUrl
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QVBoxLayout, QWidget

from server.config.settings import write_settings
from server.core.errors import SetupError
from server.logs import log_file
from tray_app.context import Context
from tray_app.pages.settings.fields import SwitchField, TextField
from tray_app.pages.settings.row import SettingRow
from tray_app.pages.settings.section import Section
from tray_app.pages.settings.size_field import SizeField
from tray_app.translation import tr
from tray_app.widgets import button


class AdvancedSection(Section):
    """Hosts, origins, limits, and the files behind all this."""

    def __init__(self, context: Context) -> None:
        super().__init__(context, "advanced", tr("Advanced"))
        self.setting(
            "allowed_hosts",
            tr("Other names of this server"),
            tr("Names that clients may use for it besides its address, as tray.example. Separate them by commas."),
            TextField(placeholder=tr("None")),
            words=tr("allowed hosts Host header"),
        )
        self.setting(
            "allowed_origins",
            tr("Web pages that may use it"),
            tr("Their origins, as https://app.example. Separate them by commas."),
            TextField(placeholder=tr("None")),
            words=tr("allowed origins CORS browser"),
        )
        self.setting(
            "fetch_images",
            tr("Fetch images by their address"),
            tr("Off: requests with images on the web are refused; those with the image itself are not."),
            SwitchField(),
        )
        self.setting(
            "max_body_bytes",
            tr("Largest request"),
            tr("Longer ones are refused."),
            SizeField("MB"),
            words=tr("size limit bytes body"),
        )
        self.setting(
            "max_header_bytes",
            tr("Largest headers"),
            tr("Requests with longer ones are refused."),
            SizeField("kB"),
            words=tr("size limit bytes"),
        )
        self.setting(
            "log_prompts",
            tr("Prompts in the log file"),
            tr("For finding errors. The log then holds what people write."),
            SwitchField(),
            words=tr("privacy"),
        )
        self.setting(
            "anthropic_base_url",
            tr("Address of the Anthropic API"),
            tr("Where your own Anthropic API key is sent to."),
            TextField(),
            words=tr("base url proxy gateway"),
        )
        self.files = self.add(self._files_row())

    def _files_row(self) -> SettingRow:
        self.settings_file = button(tr("Open settings file"), self.open_settings)
        self.logs_folder = button(tr("Open logs folder"), self._open_logs)
        buttons = QWidget()
        column = QVBoxLayout(buttons)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        for opener in (self.settings_file, self.logs_folder):
            column.addWidget(opener, 0, Qt.AlignmentFlag.AlignLeft)
        buttons.setFocusProxy(self.settings_file)
        settings = self.context.settings
        row = SettingRow(
            "files", tr("Files"), str(settings.settings_file), buttons, words=tr("folder log settings.toml")
        )
        row.reset.hide()
        return row

    def open_settings(self) -> None:
        """Open the file in the program that the system has for it; it is made if there is none."""
        self.context.run(self._open(self._made_settings_file), name="open the settings file", on_error=self._failed)

    def _open_logs(self) -> None:
        self.context.run(self._open(self._made_logs_folder), name="open the logs folder", on_error=self._failed)

    async def _open(self, make: Callable[[], Path]) -> None:
        path = await asyncio.to_thread(make)
        if not QDesktopServices.openUrl(QUrl.fromLocalFile(str(path))):
            raise SetupError(tr("There is no program here that opens {path}.").format(path=path))
        self.files.clear_message()

    def _made_settings_file(self) -> Path:
        path = self.context.settings.settings_file
        if not path.exists():
            write_settings(path.parent, {})
        return path

    def _made_logs_folder(self) -> Path:
        folder = log_file(self.context.settings.data_dir).parent
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise SetupError(f"{folder}: {error.strerror or error}") from error
        return folder

    def _failed(self, error: Exception) -> None:
        self.files.show_problem(str(error))
