"""The Advanced section: hosts, origins and files."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QObject, QUrl, Slot
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QLineEdit

from tests.waiting import until
from tray_app.context import Context
from tray_app.pages.settings import SettingsPage

Typing = Callable[[QLineEdit, str], None]
Read = Callable[[], dict[str, Any]]


class Desktop(QObject):
    """Records the files that the application opens."""

    def __init__(self) -> None:
        super().__init__()
        self.opened: list[Path] = []

    @Slot(QUrl)
    def open(self, url: QUrl) -> None:
        self.opened.append(Path(url.toLocalFile()))


@pytest.fixture
def desktop() -> Iterator[Desktop]:
    desktop = Desktop()
    QDesktopServices.setUrlHandler("file", desktop, "open")
    yield desktop
    QDesktopServices.unsetUrlHandler("file")


async def test_lists_are_written_with_commas(
    page: SettingsPage, context: Context, type_into: Typing, in_file: Read
) -> None:
    field = page.advanced.bindings["allowed_hosts"].field
    type_into(field.edit, "a.example,b.example")  # type: ignore[attr-defined]
    await page.advanced.finish_pending()
    assert context.settings.allowed_hosts == ("a.example", "b.example")
    assert field.raw_value() == "a.example, b.example"
    assert in_file()["allowed_hosts"] == ["a.example", "b.example"]


async def test_the_settings_file_is_opened_and_made_if_there_is_none(
    page: SettingsPage, context: Context, desktop: Desktop
) -> None:
    context.settings.settings_file.unlink()
    page.advanced.settings_file.click()
    await until(lambda: desktop.opened == [context.settings.settings_file])
    assert context.settings.settings_file.exists()


async def test_the_logs_folder_is_opened(page: SettingsPage, context: Context, desktop: Desktop) -> None:
    page.advanced.logs_folder.click()
    await until(lambda: desktop.opened == [context.settings.data_dir / "logs"])


async def test_a_settings_file_that_cannot_be_made_is_said(page: SettingsPage, context: Context) -> None:
    file = context.settings.settings_file
    file.unlink()
    file.parent.joinpath("window.json").unlink(missing_ok=True)
    file.parent.rmdir()
    file.parent.write_text("a file in the place of the folder")
    page.advanced.settings_file.click()
    await until(lambda: page.advanced.files.message.text)
    assert str(file) in page.advanced.files.message.text
    file.parent.unlink()
