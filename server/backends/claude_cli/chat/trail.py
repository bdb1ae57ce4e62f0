"""The user lines of a transcript, to which `rewind_conversation` can take a process back."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class UserLine:
    """A user line that the process got. `turns_before` counts the canonical turns of the transcript before it."""

    uuid: str
    turns_before: int


class Trail:
    """The user lines in the transcript, oldest first. Results of held calls are no lines."""

    def __init__(self) -> None:
        self._lines: list[UserLine] = []

    @property
    def first(self) -> UserLine | None:
        """The line whose removal makes the process as new."""
        return self._lines[0] if self._lines else None

    @property
    def last(self) -> UserLine | None:
        """The line that began the latest turn."""
        return self._lines[-1] if self._lines else None

    def add(self, uuid: str, turns_before: int) -> None:
        """Append a line."""
        self._lines.append(UserLine(uuid, turns_before))

    def find_line(self, turns: int) -> UserLine | None:
        """The latest line that has at most so many turns before it."""
        return next((line for line in reversed(self._lines) if line.turns_before <= turns), None)

    def cut(self, line: UserLine) -> None:
        """Remove a line and all that follow it."""
        del self._lines[self._lines.index(line) :]
