"""The setup that the next new conversation probably needs, by those of the last ones. Pure."""

from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from server.core.messages import MessagesRequest, Tool, client_tools
from server.core.transcript import canonical_system, canonical_tools

REMEMBERED = 8
ENOUGH = 2
"""Number of equal new conversations among those remembered that make another one likely."""


@dataclass(frozen=True, slots=True)
class LikelySetup:
    """What a process is parked with. A process that has a system prompt cannot lose it: then `system` is a risk."""

    flags: dict[str, Any] = field(default_factory=dict)
    model: str = ""
    system: str = ""
    tools: Sequence[Tool] = ()


class RecentSetups:
    """System prompt and tools of the last new conversations."""

    def __init__(self) -> None:
        self._keys: deque[tuple[str, str, bytes]] = deque(maxlen=REMEMBERED)
        # Not the requests: their messages may be deleted with their sessions.
        self._setups: dict[tuple[str, str, bytes], tuple[str, Sequence[Tool]]] = {}

    def note(self, request: MessagesRequest) -> None:
        """Remember a request if it begins a conversation."""
        if request.is_one_off or any(message["role"] == "assistant" for message in request.messages):
            return
        key = request.model, canonical_system(request.system), canonical_tools(request.tools)
        self._keys.append(key)
        self._setups[key] = "\n\n".join(text for text in request.system if text), client_tools(request.tools)
        self._setups = {kept: self._setups[kept] for kept in self._keys}

    def likely(self, flags: dict[str, Any]) -> LikelySetup:
        """The commonest of them, the latest where several are; only `flags` if none is common."""
        counts = Counter(reversed(self._keys))
        key, count = max(counts.items(), key=lambda pair: pair[1], default=(("", "", b""), 0))
        if count < ENOUGH or flags.get("model") != key[0]:
            return LikelySetup(flags)
        system, tools = self._setups[key]
        return LikelySetup(flags, key[0], system, tools)
