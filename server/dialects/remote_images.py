"""Images that a body names by web address. The caller fetches their data."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

_MAX_DEPTH = 3
"""Messages, their parts, and the parts of a tool result."""


@dataclass(frozen=True, slots=True)
class RemoteImages:
    """A dialect's representation of such images.

    `read_address` gives the web address of a part of a message, None if it has none; `embed` gives the part with a
    data URL in the address's place. `root` is the body's list, `nested` are the members that hold further parts.
    """

    read_address: Callable[[dict[str, Any]], str | None]
    embed: Callable[[dict[str, Any], str], dict[str, Any]]
    root: str = "messages"
    nested: tuple[str, ...] = ("content",)

    def find(self, body: Any) -> list[str]:
        """The addresses in `body`, each once, in order. Takes any body and raises nothing."""
        return list(dict.fromkeys(self._addresses(body.get(self.root)))) if isinstance(body, dict) else []

    def replace(self, body: Any, data_urls: Mapping[str, str]) -> Any:
        """A copy of `body` with data in the place of the addresses in `data_urls`."""
        if not data_urls or not self.find(body):
            return body
        return {**body, self.root: self._replaced(body[self.root], data_urls)}

    def _addresses(self, parts: Any, depth: int = 1) -> Iterator[str]:
        if not isinstance(parts, list) or depth > _MAX_DEPTH:
            return
        for part in parts:
            if isinstance(part, dict):
                if (address := self.read_address(part)) is not None:
                    yield address
                    continue
                for name in self.nested:
                    yield from self._addresses(part.get(name), depth + 1)

    def _replaced(self, parts: Any, data_urls: Mapping[str, str], depth: int = 1) -> Any:
        if not isinstance(parts, list) or depth > _MAX_DEPTH:
            return parts
        return [self._replaced_part(part, data_urls, depth) if isinstance(part, dict) else part for part in parts]

    def _replaced_part(self, part: dict[str, Any], data_urls: Mapping[str, str], depth: int) -> dict[str, Any]:
        if (address := self.read_address(part)) is not None:
            return self.embed(part, data_urls[address]) if address in data_urls else part
        inner = {
            name: self._replaced(part[name], data_urls, depth + 1)
            for name in self.nested
            if isinstance(part.get(name), list)
        }
        return {**part, **inner} if inner else part
