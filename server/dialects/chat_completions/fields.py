"""A client's JSON, read with checks. A value knows its path, so every refusal names the field at fault."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from server.errors import InvalidRequest

LARGEST_INTEGER = 2**31 - 1


@dataclass(frozen=True, slots=True)
class Field:
    """A value of the body, and where it stands (`messages[2].role`). Missing and null are the same."""

    value: Any
    path: str = ""

    @property
    def missing(self) -> bool:
        return self.value is None

    def member(self, name: str) -> "Field":
        """A member of an object."""
        return Field(self.object().get(name), f"{self.path}.{name}" if self.path else name)

    def items(self) -> list["Field"]:
        """The items of a list; none when it is missing."""
        if self.value is None:
            return []
        if not isinstance(self.value, list):
            raise self.wrong_type("a list")
        return [Field(value, f"{self.path}[{at}]") for at, value in enumerate(self.value)]

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
        if not least <= self.value <= most:
            raise self.refusal("is out of range", f"It must be between {least} and {most}.")
        return self.value

    def number(self, least: float, most: float) -> float:
        if not isinstance(self.value, int | float) or isinstance(self.value, bool):
            raise self.wrong_type("a number")
        if not least <= self.value <= most:
            raise self.refusal("is out of range", f"It must be between {least:g} and {most:g}.")
        return self.value

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
