"""The interface of start at login, the same on every platform."""

from typing import Protocol

from server.core.errors import SetupError


class Autostart(Protocol):
    """Start at login, without state of its own: each call reads the system.

    All calls use files, the registry or a subprocess: never call them on the GUI thread.
    `description` completes the sentence "The entry is ...".
    """

    description: str

    def is_enabled(self) -> bool:
        """Whether an entry exists, is not disabled, and its program exists.

        Raises SetupError if it cannot be read.
        """
        ...

    def enable(self) -> None:
        """Turn start at login on, even if the user disabled it in the system.

        Raises SetupError if it cannot be written.
        """
        ...

    def disable(self) -> None:
        """Remove the entry. Raises SetupError if it cannot be written."""
        ...

    def repair_entry(self) -> bool:
        """Rewrite our entry if its program is gone, as after a move; True if rewritten.

        Disabled entries and those that the user wrote are left alone. Raises SetupError.
        """
        ...


def autostart_failed(location: str, error: OSError) -> SetupError:
    """The error for an entry in `location` that could not be read or written."""
    reason = error.strerror or str(error)
    return SetupError(
        f"Start at login could not be read or changed: {location}: {reason}.",
        hint="Check its permissions, or add Dragoman to your system's login items by hand.",
    )
