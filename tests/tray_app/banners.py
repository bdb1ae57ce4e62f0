"""A banner as its reader sees it."""

from PySide6.QtWidgets import QPushButton

from tray_app.widgets import Banner


def actions_of(banner: Banner) -> list[QPushButton]:
    """The buttons of a banner's actions, in order."""
    buttons = [button for button in banner.findChildren(QPushButton) if not button.isHidden()]
    return [button for button in buttons if button is not banner.close_button]
