"""The colours and sizes of the window, read from `resources/tokens.toml`."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType

from tray_app.assets import asset_path


@dataclass(frozen=True, slots=True)
class Tokens:
    """Colours by name as `#RRGGBB`, for each scheme, and sizes in logical pixels."""

    light: Mapping[str, str]
    dark: Mapping[str, str]
    size: Mapping[str, int]

    def scheme(self, dark: bool) -> Mapping[str, str]:
        """Return the colours of the dark or the light scheme."""
        return self.dark if dark else self.light


@cache
def tokens() -> Tokens:
    """Read the tokens, once."""
    tables = tomllib.loads(asset_path("tokens.toml").read_text(encoding="utf-8"))
    return Tokens(*(MappingProxyType(tables[name]) for name in ("light", "dark", "size")))


def size(name: str) -> int:
    """Return a size in logical pixels, such as `row`. Raises KeyError."""
    return tokens().size[name]
