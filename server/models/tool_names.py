"""Replace names that the Messages API does not take, and restore them.

The API takes `^[a-zA-Z0-9_-]{1,128}$` for a tool, of which Claude Code's prefix uses 13 characters, and
`^[a-zA-Z0-9_.-]{1,64}$` for top-level arguments. Clients use names such as `files.read`, `größe` and `filter[name]`. A
substitute depends only on the name, so that later requests and the history of a conversation use the same one.
"""

import hashlib
import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from server.core import exact_json
from server.core.messages import Block, Message, StreamEvent

_TOOL = re.compile(r"[a-zA-Z0-9_-]{1,115}")
_ARGUMENT = re.compile(r"[a-zA-Z0-9_.-]{1,64}")
_HASH_CHARACTERS = 8

Names = Mapping[str, str]


def tool_name(name: str) -> str:
    """Return the API's name for a client's tool."""
    return name if _TOOL.fullmatch(name) else _substitute_name(name, "_-", 100)


def argument_name(name: str) -> str:
    """Return the API's name for a top-level argument of a tool."""
    return name if _ARGUMENT.fullmatch(name) else _substitute_name(name, "_.-", 50)


def _substitute_name(name: str, punctuation: str, length: int) -> str:
    """Return a name of ASCII letters, with a hash that keeps different names apart."""
    plain = unicodedata.normalize("NFKD", name.replace("ß", "ss")).encode("ascii", "ignore").decode()
    words = "".join(char if char.isalnum() or char in punctuation else "_" for char in plain)
    digest = hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:_HASH_CHARACTERS]
    return f"{words[:length].strip('_') or 'name'}_{digest}"


@dataclass(frozen=True, slots=True)
class ToolNames:
    """The replaced names of one request, client's name -> API's name: `tools`, and `arguments` by the tool's API name.

    Contains only names that differ.
    """

    tools: Names
    arguments: Mapping[str, Names]

    @property
    def is_empty(self) -> bool:
        """Whether no name is replaced."""
        return not self.tools and not self.arguments

    def rename_history(self, messages: Iterable[Message]) -> list[Message]:
        """Return the messages with the API's names in their tool calls."""
        return [
            Message(role=message["role"], content=[self._rename_call(block) for block in message["content"]])
            if message["role"] == "assistant"
            else message
            for message in messages
        ]

    def _rename_call(self, block: Block) -> Block:
        if block.get("type") != "tool_use":
            return block
        name = tool_name(block["name"])
        arguments = self.arguments.get(name, {})
        given = block["input"]
        if arguments and isinstance(given, dict):
            given = {arguments.get(key, key): value for key, value in given.items()}
        return {**block, "name": name, "input": given}

    def make_restorer(self) -> Callable[[StreamEvent], Iterable[StreamEvent]]:
        """Return a stateful function that restores names in one answer's events."""
        return _Restorer(self).restore_names


NO_NAMES = ToolNames({}, {})


class _Restorer:
    """Restores the client's names in one answer's events."""

    def __init__(self, names: ToolNames) -> None:
        self._tools = {api: client for client, api in names.tools.items()}
        self._arguments = {
            tool: {api: client for client, api in arguments.items()} for tool, arguments in names.arguments.items()
        }
        self._inputs: dict[int, _KeyReplacer] = {}

    def restore_names(self, event: StreamEvent) -> Iterable[StreamEvent]:
        match event.get("type"):
            case "content_block_start" if event["content_block"].get("type") == "tool_use":
                return (self._restore_start(event),)
            case "content_block_delta" if event["index"] in self._inputs:
                return (self._restore_delta(event),)
            case "content_block_stop" if (keys := self._inputs.pop(event["index"], None)) is not None:
                return (_input_delta(event["index"], rest), event) if (rest := keys.flush_key()) else (event,)
        return (event,)

    def _restore_start(self, event: StreamEvent) -> StreamEvent:
        block = event["content_block"]
        arguments = self._arguments.get(block["name"])
        given = block.get("input")
        if arguments is not None:
            self._inputs[event["index"]] = _KeyReplacer(arguments)
            if isinstance(given, dict):
                given = {arguments.get(key, key): value for key, value in given.items()}
        name = self._tools.get(block["name"], block["name"])
        return {**event, "content_block": {**block, "name": name, "input": given}}

    def _restore_delta(self, event: StreamEvent) -> StreamEvent:
        delta = event["delta"]
        if delta.get("type") != "input_json_delta":
            return event
        return _input_delta(event["index"], self._inputs[event["index"]].replace_keys(delta["partial_json"]))


class _KeyReplacer:
    """Replaces the top-level keys of a JSON object that arrives in chunks."""

    def __init__(self, names: Names) -> None:
        self._names = names
        self._depth = 0
        self._before = ""
        """The latest structural character: a top-level string after `{` or `,` is a key."""
        self._string: list[str] | None = None
        self._is_key = False
        self._escaped = False

    def replace_keys(self, chunk: str) -> str:
        """Consume a chunk; returns the text that is complete."""
        return "".join(map(self._consume_char, chunk))

    def flush_key(self) -> str:
        """Return the held part of a key that the end of the answer cut off."""
        held, self._string = "".join(self._string or ()) if self._is_key else "", None
        return held

    def _consume_char(self, char: str) -> str:
        if self._string is not None:
            return self._consume_string_char(char)
        if char == '"':
            self._string, self._is_key = [char], self._depth == 1 and self._before in "{,"
            return "" if self._is_key else char
        if char in "{[":
            self._depth += 1
        elif char in "}]":
            self._depth -= 1
        if not char.isspace():
            self._before = char
        return char

    def _consume_string_char(self, char: str) -> str:
        assert self._string is not None  # noqa: S101 - checked by the only caller
        if self._is_key:
            self._string.append(char)
        if self._escaped:
            self._escaped = False
        elif char == "\\":
            self._escaped = True
        elif char == '"':
            held, self._string = "".join(self._string), None
            self._before = char
            return self._replace_key(held) if self._is_key else char
        return "" if self._is_key else char

    def _replace_key(self, written: str) -> str:
        try:
            key = exact_json.loads(written)
        except ValueError:
            return written  # Half a surrogate pair or an invalid escape: not a substitute.
        return exact_json.dumps(self._names[key]).decode() if key in self._names else written


def _input_delta(index: int, text: str) -> StreamEvent:
    delta: dict[str, Any] = {"type": "input_json_delta", "partial_json": text}
    return {"type": "content_block_delta", "index": index, "delta": delta}
