"""The result of one check of the installation."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Check:
    """The finding about the thing called `name`. `hint` is what the user can do about it, or empty."""

    name: str
    status: Literal["ok", "warn", "fail"]
    detail: str
    hint: str = ""
