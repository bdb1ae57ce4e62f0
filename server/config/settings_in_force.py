"""The one place that holds the settings in force."""

from server.config.settings import Settings


class SettingsInForce:
    """Holds the settings in force. The runtime, the services of each request and the window read them here.

    While the server runs only `Runtime.reconfigure` replaces them, so that they always match what it does. Read
    `current` where a value is needed; a copy of it is out of date after the next change.
    """

    __slots__ = ("current",)

    def __init__(self, settings: Settings) -> None:
        self.current = settings
