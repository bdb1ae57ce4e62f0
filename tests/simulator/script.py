"""Choice of a reply: a test's rules, otherwise an echo that is useful in the demo."""

import re
import threading
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from tests.simulator.http_errors import HttpError
from tests.simulator.recording import Recorded
from tests.simulator.replies import (
    CitedText,
    Part,
    Reply,
    Scripted,
    ScriptedOrFunction,
    ServerToolResult,
    ServerToolUse,
    Text,
    ToolUse,
    as_reply,
)
from tests.simulator.schema_instance import instance
from tests.simulator.views import Blocks, as_blocks, client_tools, conversation, last_user_text, text_of

Condition = Callable[[Recorded], bool]


@dataclass(eq=False)
class Rule:
    """A scripted reply, for which requests, and for how many more (None: for all)."""

    reply: ScriptedOrFunction
    when: Condition | None
    left: int | None

    def takes(self, recorded: Recorded) -> bool:
        """Whether the rule is for this request."""
        return self.left != 0 and (self.when is None or self.when(recorded))


class Script:
    """The rules, oldest first. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._rules: list[Rule] = []

    def add(self, reply: ScriptedOrFunction, when: Condition | None, times: int | None) -> None:
        """One more rule: without `when` for one request, with it for all that fit; `times` says otherwise."""
        with self._lock:
            self._rules.append(Rule(reply, when, 1 if when is None and times is None else times))

    def clear(self) -> None:
        """Drop every rule."""
        with self._lock:
            self._rules.clear()

    def reply_to(self, recorded: Recorded) -> Reply | HttpError:
        """The reply for a request: of the oldest rule that takes it, else the default."""
        rule = self._take(recorded)
        scripted = default_reply(recorded) if rule is None else rule.reply
        return as_reply(scripted(recorded) if callable(scripted) else scripted)

    def _take(self, recorded: Recorded) -> Rule | None:
        with self._lock:
            rule = next((rule for rule in self._rules if rule.takes(recorded)), None)
            if rule is not None and rule.left is not None:
                rule.left -= 1
            return rule


def default_reply(recorded: Recorded) -> Scripted:
    """An answer without a script: an instance of a schema, a tool's result, a call of a tool, a search, or an echo."""
    schema = _schema(recorded.body)
    if schema is not None:
        return Text(orjson.dumps(instance(schema)).decode())
    results = _tool_results(recorded)
    if results is not None:
        return Text(f"The tool said: {results}")
    text = last_user_text(recorded)
    return _asked_for_tool(recorded, text) or _asked_for_search(recorded, text) or Text(f"You said: {text}")


def _asked_for_search(recorded: Recorded, text: str) -> Sequence[Part] | None:
    """A search of the web for the words after `search for`, where the request allows it."""
    named = re.search(r"\bsearch for (.+)", text)
    tools = [tool.get("name") for tool in client_tools(recorded) if tool.get("type", "custom") != "custom"]
    if named is None or "web_search" not in tools:
        return None
    # An id of its own: it stays in the conversation, where ids are unique.
    call = ServerToolUse(input={"query": named[1]}, id=f"srvtoolu_{uuid.uuid4().hex[:24]}")
    return Text("I'll search."), call, ServerToolResult(call.id), CitedText("Cats sleep a lot.")


def _schema(body: dict[str, Any]) -> dict[str, Any] | None:
    format_ = (body.get("output_config") or {}).get("format") or {}
    return format_.get("schema") if format_.get("type") == "json_schema" else None


def _tool_results(recorded: Recorded) -> str | None:
    """The results that the last turn brings, if any."""
    turns = conversation(recorded)
    results = [block for block in turns[-1][1] if block.get("type") == "tool_result"] if turns else []
    return ", ".join(_result_text(block) for block in results) if results else None


def _result_text(block: dict[str, Any]) -> str:
    content: str | Blocks = block.get("content") or ""
    return text_of(as_blocks(content))


def _asked_for_tool(recorded: Recorded, text: str) -> ToolUse | None:
    """A call with invented arguments of the tool requested by `call NAME`."""
    named = re.search(r"\bcall ([\w-]+)", text)
    tools = [tool for tool in client_tools(recorded) if named and tool["name"] == named[1]]
    return ToolUse(tools[0]["name"], instance(tools[0].get("input_schema") or {}) or {}) if tools else None
