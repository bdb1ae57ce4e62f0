"""The one place that holds the settings in force."""

from server.config.settings import Settings


class SettingsInForce:
    """Holder of the settings in force. The runtime, the services of each request and the window read them here.

    Only `Runtime.reconfigure`, and the server on its behalf, replace them. Read `current` where a value is needed: a
    copy is out of date after the next change.
    """

    __slots__ = ("current",)

    def __init__(self, settings: Settings) -> None:
        self.current = settings
