"""What every platform's way of starting at login can do."""

from typing import Protocol

from server.core.errors import SetupError


class Autostart(Protocol):
    """Start at login, as the system itself has it: nothing is remembered, every call looks.

    All calls read or write files, the registry or a subprocess: never call them on the GUI thread.
    `description` says in words where the entry is kept, as the end of "The entry is ...".
    """

    description: str

    def enabled(self) -> bool:
        """Whether the next login starts the application: an entry is there, is not disabled, and its program exists.

        Raises SetupError if it cannot be read.
        """
        ...

    def enable(self) -> None:
        """Have the next login start the application, also where the person had disabled the entry in the system.

        Raises SetupError if it cannot be written.
        """
        ...

    def disable(self) -> None:
        """Have no login start it. What runs now goes on. Raises SetupError if it cannot be written."""
        ...

    def repair(self) -> bool:
        """Rewrite our entry if the program that it starts is gone, as after a move; True if it was rewritten.

        An entry that is disabled, or that a person wrote, is left alone. Raises SetupError.
        """
        ...


def autostart_failed(place: str, error: OSError) -> SetupError:
    """What it means that an entry in `place` could not be read or written."""
    reason = error.strerror or str(error)
    return SetupError(
        f"Start at login could not be read or changed: {place}: {reason}.",
        hint="Check its permissions, or add Dragoman to your system's login items by hand.",
    )
