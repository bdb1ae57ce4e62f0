"""What the request side of a response hands to its encoder."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from server.core.messages import Block

CUSTOM_INPUT = "input"
"""The only argument of a custom tool as the model knows it: a string, the client's freeform input."""


@dataclass(frozen=True, slots=True)
class ClientTool:
    """A tool as the client knows it. The model sees a flat name, see `ResponseHead.tools`."""

    kind: Literal["function", "custom", "tool_search", "web_search"]
    name: str
    namespace: str | None = None


@dataclass(frozen=True, slots=True)
class ResponseHead:
    """Everything about a response that is known before its first event.

    `echo` holds the members of the response object that repeat the request (instructions, metadata, tools, tool_choice,
    temperature, text, ...), complete and valid by OpenAI's schema Response. `tools` maps the model's flat tool names to
    the client's. `seal` makes the `encrypted_content` of a thinking or redacted_thinking block, and of a text block
    that is the summary of a compaction. `originator` is the header of that name, by which Codex is recognised.
    `compaction` means that the answer is a summary, which becomes one item of the type compaction. `sources`: the
    client wants the pages that a search found.
    """

    response_id: str
    created_at: int
    model: str
    echo: Mapping[str, Any]
    tools: Mapping[str, ClientTool] = field(default_factory=dict)
    seal: Callable[[Block], str] | None = None
    originator: str = ""
    compaction: bool = False
    sources: bool = False
