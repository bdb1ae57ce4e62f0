"""A client's JSON, read with checks. A value knows its path, so every refusal names the field at fault.

Which fields were read is kept, so that what nobody has looked at can be told.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from server.core.errors import InvalidRequest

LARGEST_INTEGER = 2**31 - 1


@dataclass(frozen=True, slots=True)
class Field:
    """A value of the body, and where it stands (`messages[2].role`). Missing and null are the same.

    `read` holds the paths of all members of the body that were asked for, and with a dot behind them those of the
    objects that have such members.
    """

    value: Any
    path: str = ""
    read: set[str] = field(default_factory=set, repr=False, compare=False)

    @property
    def missing(self) -> bool:
        return self.value is None

    def member(self, name: str) -> "Field":
        """A member of an object."""
        path = f"{self.path}.{name}" if self.path else name
        self.read.update((path, f"{self.path}."))
        return Field(self.object().get(name), path, self.read)

    def items(self) -> list["Field"]:
        """The items of a list; none when it is missing."""
        if self.value is None:
            return []
        if not isinstance(self.value, list):
            raise self.wrong_type("a list")
        return [Field(value, f"{self.path}[{at}]", self.read) for at, value in enumerate(self.value)]

    def object(self) -> Mapping[str, Any]:
        if not isinstance(self.value, dict):
            raise self.wrong_type("an object")
        return self.value

    def string(self) -> str:
        if not isinstance(self.value, str):
            raise self.wrong_type("a string")
        return self.value

    def filled_string(self) -> str:
        """A string that is not empty."""
        if not self.string():
            raise self.refusal("is empty", "Give it a value.")
        return self.string()

    def one_of(self, *allowed: str) -> str:
        if self.string() not in allowed:
            raise self.refusal(f"is {shown(self.value)}", f"It must be one of: {', '.join(allowed)}.")
        return self.string()

    def boolean(self) -> bool:
        """True or false; false when it is missing."""
        if self.value is not None and not isinstance(self.value, bool):
            raise self.wrong_type("a boolean")
        return bool(self.value)

    def integer(self, least: int, most: int = LARGEST_INTEGER) -> int:
        if not isinstance(self.value, int) or isinstance(self.value, bool):
            raise self.wrong_type("an integer")
        if self.value < least:
            raise self._out_of_range("below minimum", "below_min", f">= {least}", least, most)
        if self.value > most:
            raise self._out_of_range("above maximum", "above_max", f"<= {most}", least, most)
        return self.value

    def number(self, least: float, most: float) -> float:
        if not isinstance(self.value, int | float) or isinstance(self.value, bool):
            raise self.wrong_type("a number")
        if not least <= self.value <= most:
            raise self.refusal("is out of range", f"It must be between {least:g} and {most:g}.")
        return self.value

    def _out_of_range(self, where: str, code: str, wanted: str, least: int, most: int) -> InvalidRequest:
        """In OpenAI's own words and with its code."""
        return InvalidRequest(
            f"Invalid '{self.path}': integer {where} value. Expected a value {wanted}, but got {self.value} instead.",
            param=self.path,
            code=f"integer_{code}_value",
            hint=f"It must be between {least} and {most}.",
        )

    def wrong_type(self, wanted: str) -> InvalidRequest:
        if self.value is None:
            return self.refusal("is missing", f"It must be {wanted}.")
        return self.refusal(f"must be {wanted}", f"It is {_kind(self.value)}.")

    def refusal(self, problem: str, hint: str = "", *, code: str | None = None) -> InvalidRequest:
        """The error that says what is wrong with this field: `problem` goes on after its name."""
        name = f"`{self.path}`" if self.path else "The request body"
        return InvalidRequest(f"{name} {problem}.", param=self.path or None, code=code, hint=hint)


def shown(value: object) -> str:
    """A client's value as it may stand in an error: short, and without characters that cannot be encoded."""
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _kind(value: object) -> str:
    match value:
        case bool():
            return "a boolean"
        case int():
            return "an integer"
        case float():
            return "a number with a fraction"
        case str():
            return "a string"
        case list():
            return "a list"
        case _:
            return "an object"
