"""Dialogs before the main window exists: invalid settings, a locked keyring."""

import asyncio
from collections.abc import Mapping
from typing import Any

from PySide6.QtCore import QUrl
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QAbstractButton, QMessageBox

from server.config.settings import Settings, load_settings
from server.core.errors import COMMAND_LINE, SettingsInvalid, SetupError
from server.core.tasks import spawn
from server.secrets import KeyStore, open_key_store
from server.secrets.opening import key_from_environment
from server.secrets.storage import MemoryStorage
from tray_app.translation import tr

KEYRING_SECONDS = 300.0
"""Time for the user to enter the keyring's password."""
QUIET_SECONDS = 1.0
"""Delay before the waiting dialog appears."""


async def wait_for_settings(overrides: Mapping[str, Any]) -> Settings | None:
    """Load the settings. The user may correct invalid ones; None means quit.

    Raises SettingsInvalid for an invalid command line, which is reported in the terminal.
    """
    while True:
        try:
            return await asyncio.to_thread(load_settings, overrides)
        except SettingsInvalid as error:
            if error.source == COMMAND_LINE:
                raise
            if not await _ask_to_try_again(error):
                return None


async def wait_for_key_store(settings: Settings) -> KeyStore:
    """Open the key store. Waits for a locked keyring until the user gives up."""
    opening = spawn(open_key_store(settings, keyring_seconds=KEYRING_SECONDS), name="open the key store")
    try:
        await asyncio.wait([opening], timeout=QUIET_SECONDS)
        if not opening.done():
            await _wait_visibly(opening)
        if opening.done():
            return opening.result()
    finally:
        opening.cancel()
    return KeyStore(MemoryStorage(tr("the system keyring was not unlocked")), fixed_key=key_from_environment())


async def _wait_visibly(opening: "asyncio.Task[KeyStore]") -> None:
    """Return when the key store is open or the user chooses to continue without it."""
    box = _make_box(
        tr("Waiting for the system keyring"),
        tr("The keyring that holds your API key is locked. Unlock it in your desktop's password dialog."),
    )
    box.addButton(tr("Continue without the keyring"), QMessageBox.ButtonRole.AcceptRole)
    asking = spawn(_wait_for_choice(box), name="ask about the keyring")
    try:
        await asyncio.wait([opening, asking], return_when=asyncio.FIRST_COMPLETED)
    finally:
        box.done(0)
        asking.cancel()
        await asyncio.wait([asking])


async def show_startup_error(error: SetupError) -> None:
    """Show why the application cannot start."""
    box = _make_box(tr("Dragoman cannot start"), str(error))
    box.addButton(tr("Close"), QMessageBox.ButtonRole.RejectRole)
    await _wait_for_choice(box)


async def _ask_to_try_again(error: SettingsInvalid) -> bool:
    """Ask whether to read invalid settings again."""
    box = _make_box(tr("The settings cannot be used"), str(error))
    again = box.addButton(tr("Try again"), QMessageBox.ButtonRole.AcceptRole)
    # The source is a file's path or a variable's name, which cannot be opened.
    show = box.addButton(tr("Open settings file"), QMessageBox.ButtonRole.ActionRole) if "/" in error.source else None
    box.addButton(tr("Quit"), QMessageBox.ButtonRole.RejectRole)
    while True:
        chosen = await _wait_for_choice(box)
        if show is None or chosen is not show:
            return chosen is again
        QDesktopServices.openUrl(QUrl.fromLocalFile(error.source))


def _make_box(title: str, text: str) -> QMessageBox:
    box = QMessageBox(QMessageBox.Icon.Warning, title, title)
    box.setInformativeText(text)
    return box


async def _wait_for_choice(box: QMessageBox) -> QAbstractButton | None:
    """Return the chosen button, or None if the box was closed."""
    finished = asyncio.Event()
    box.finished.connect(finished.set)
    box.open()
    await finished.wait()
    box.finished.disconnect(finished.set)
    return box.clickedButton()
