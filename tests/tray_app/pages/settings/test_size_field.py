"""Numbers of bytes in readable units."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLineEdit
from pytestqt.qtbot import QtBot

from tests.tray_app.pages.settings.conftest import Typing
from tray_app.context import Context
from tray_app.pages.settings import SettingsPage
from tray_app.pages.settings.binding import Binding
from tray_app.pages.settings.size_field import SizeField


@pytest.fixture
def largest(page: SettingsPage) -> Binding:
    """The row of the maximum request size."""
    return page.advanced.bindings["max_body_bytes"]


def line(binding: Binding) -> QLineEdit:
    assert isinstance(binding.field, SizeField)
    return binding.field.edit


async def test_limits_are_shown_with_their_unit(page: SettingsPage, largest: Binding) -> None:
    headers = page.advanced.bindings["max_header_bytes"]
    assert [line(largest).text(), line(headers).text()] == ["32", "64"]
    assert line(largest).toolTip() == "33554432 bytes"
    assert [largest.field.format_value(33_554_432), headers.field.format_value(65_536)] == ["32 MB", "64 kB"]


@pytest.mark.parametrize(
    ("typed", "value"),
    [("8", 8 * 1024**2), ("1.5", 1536 * 1024), ("0,5 MB", 512 * 1024), ("500 kB", 500 * 1024), ("1GB", 1024**3)],
)
async def test_a_size_is_typed_with_or_without_a_unit(
    page: SettingsPage, context: Context, largest: Binding, type_into: Typing, typed: str, value: int
) -> None:
    type_into(line(largest), typed)
    await page.advanced.finish_pending()
    assert context.settings.max_body_bytes == value
    assert largest.row.reset.toolTip() == "Reset to default: 32 MB"


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("much", "Enter a size in MB, such as 32."),
        ("", "Enter a size in MB, such as 32."),
        ("-3", "Enter a size in MB, such as 32."),
        ("3 stones", "Enter a size in MB, such as 32."),
        ("0", "Enter 1 kB or more."),
        ("1,024", "Enter a size in MB, such as 32."),
        ("9" * 400, "Enter a size in MB, such as 32."),
    ],
)
async def test_an_invalid_size_is_rejected_in_the_row(
    page: SettingsPage, context: Context, largest: Binding, type_into: Typing, typed: str, words: str
) -> None:
    type_into(line(largest), typed)
    await page.advanced.finish_pending()
    assert largest.row.message.text == words
    assert (line(largest).text(), context.settings.max_body_bytes) == (typed, 33_554_432)


@pytest.mark.parametrize(
    ("value", "shown"),
    [(1024, "0.00098"), (5000, "0.0048"), (200_000, "0.19"), (10**12 * 1024**3, "1024000000000000"), (10**30, None)],
)
async def test_limits_far_from_the_usual_are_shown_as_they_are(
    page: SettingsPage, context: Context, largest: Binding, value: int, shown: str | None
) -> None:
    """The file may hold any number."""
    await context.change_settings({"max_body_bytes": value})
    assert line(largest).toolTip() == f"{value} bytes"
    assert shown is None or line(largest).text() == shown


async def test_an_odd_number_of_bytes_stays_exact_until_it_is_edited(
    page: SettingsPage, context: Context, largest: Binding, qtbot: QtBot
) -> None:
    await context.change_settings({"max_body_bytes": 10_000_000})
    shown = line(largest).text()
    line(largest).setFocus()
    qtbot.keyClicks(line(largest), "1")
    qtbot.keyClick(line(largest), Qt.Key.Key_Backspace)
    qtbot.keyClick(line(largest), Qt.Key.Key_Return)
    await page.advanced.finish_pending()
    assert shown == "9.54"
    assert context.settings.max_body_bytes == 10_000_000
