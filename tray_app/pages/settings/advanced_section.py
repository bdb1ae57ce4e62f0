"""The advanced settings, and buttons that open the files."""

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
from tray_app.widgets import make_button


class AdvancedSection(Section):
    """Hosts, origins, limits and files."""

    def __init__(self, context: Context) -> None:
        super().__init__(context, "advanced", tr("Advanced"))
        self.add_setting(
            "allowed_hosts",
            tr("Allowed host names"),
            tr("Host names clients may use, such as tray.example. Separate them with commas."),
            TextField(placeholder=tr("None")),
            keywords=tr("allowed hosts Host header"),
        )
        self.add_setting(
            "allowed_origins",
            tr("Allowed web origins"),
            tr(
                "Web pages and desktop programs that may use the server, such as https://app.example, "
                "app://obsidian.md or vscode-webview://*. Separate them with commas."
            ),
            TextField(placeholder=tr("None")),
            keywords=tr("allowed origins CORS browser"),
        )
        self.add_setting(
            "fetch_images",
            tr("Fetch images from URLs"),
            tr("Off: requests with image URLs are refused; embedded images still work."),
            SwitchField(),
        )
        self.add_setting(
            "max_body_bytes",
            tr("Maximum request size"),
            tr("Larger requests are refused."),
            SizeField("MB"),
            keywords=tr("size limit bytes body"),
        )
        self.add_setting(
            "max_header_bytes",
            tr("Maximum header size"),
            tr("Requests with larger headers are refused."),
            SizeField("kB"),
            keywords=tr("size limit bytes"),
        )
        self.add_setting(
            "log_prompts",
            tr("Prompts in the log file"),
            tr("For debugging. Prompts will be written to the log."),
            SwitchField(),
            keywords=tr("privacy"),
        )
        self.add_setting(
            "anthropic_base_url",
            tr("Anthropic API URL"),
            tr("The server your Anthropic API key is sent to."),
            TextField(),
            keywords=tr("base url proxy gateway"),
        )
        self.add_setting(
            "otlp_endpoint",
            tr("OpenTelemetry collector"),
            tr("URL that gets a trace of each request, without its words. Leave empty for none."),
            TextField(placeholder="http://127.0.0.1:4318"),
            keywords=tr("OTLP traces telemetry monitoring"),
        )
        self.files = self.add_row(self._files_row())

    def _files_row(self) -> SettingRow:
        self.settings_file = make_button(tr("Open settings file"), self.open_settings)
        self.logs_folder = make_button(tr("Open logs folder"), self._open_logs)
        buttons = QWidget()
        column = QVBoxLayout(buttons)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        for opener in (self.settings_file, self.logs_folder):
            column.addWidget(opener, 0, Qt.AlignmentFlag.AlignLeft)
        buttons.setFocusProxy(self.settings_file)
        settings = self.context.settings
        row = SettingRow(
            "files", tr("Files"), str(settings.settings_file), buttons, keywords=tr("folder log settings.toml")
        )
        row.reset.hide()
        return row

    def open_settings(self) -> None:
        """Open the settings file in the system's editor. A missing file is created."""
        self.context.run(
            self._open_path(self._ensure_settings_file), name="open settings", on_error=self.files.show_error
        )

    def _open_logs(self) -> None:
        self.context.run(self._open_path(self._ensure_logs_folder), name="open logs", on_error=self.files.show_error)

    async def _open_path(self, make: Callable[[], Path]) -> None:
        path = await asyncio.to_thread(make)
        if not QDesktopServices.openUrl(QUrl.fromLocalFile(str(path))):
            raise SetupError(tr("No program on this computer opens {path}.").format(path=path))
        self.files.clear_message()

    def _ensure_settings_file(self) -> Path:
        path = self.context.settings.settings_file
        if not path.exists():
            write_settings(path.parent, {})
        return path

    def _ensure_logs_folder(self) -> Path:
        folder = log_file(self.context.settings.data_dir).parent
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise SetupError(f"{folder}: {error.strerror or error}") from error
        return folder
