"""A recorded request as the client wrote it: without what the CLI adds on the way."""

from collections.abc import Callable, Mapping
from typing import Any

from tests.simulator.recording import Recorded

Blocks = list[dict[str, Any]]

CLI_SYSTEM_BLOCKS = (
    "x-anthropic-billing-header",
    "You are a Claude agent, built on Anthropic's Claude Agent SDK.",
)
REMINDER = "<system-reminder>\n"
TOOL_PREFIX = "mcp__client__"


def conversation(recorded: Recorded) -> list[tuple[str, Blocks]]:
    """The client's turns as (role, blocks), in order; a string is one text block, turns are never joined.

    Left out: turns of role `system` (the CLI's environment note on models from 5 on), the `<system-reminder>`
    texts that lead the first user turn (the same note on older models) and `cache_control`.
    """
    turns = [m for m in recorded.body["messages"] if m["role"] != "system"]
    plain = [(m["role"], [_without_cache(b) for b in as_blocks(m["content"])]) for m in turns]
    if plain and plain[0][0] == "user":
        plain[0] = ("user", _without_reminders(plain[0][1]))
    return [(role, [_bare_tool_use(block) for block in blocks]) for role, blocks in plain]


def client_system(recorded: Recorded) -> str:
    """The system prompt without the CLI's own leading blocks; blocks are joined by an empty line."""
    texts = [block["text"] for block in as_blocks(recorded.body.get("system") or [])]
    return "\n\n".join(text for text in texts if not text.startswith(CLI_SYSTEM_BLOCKS))


def client_tools(recorded: Recorded) -> list[dict[str, Any]]:
    """The tools with the client's own names, without `cache_control`."""
    tools = [_without_cache(tool) for tool in recorded.body.get("tools") or []]
    return [{**tool, "name": tool.get("name", "").removeprefix(TOOL_PREFIX)} for tool in tools]


def last_user_text(recorded: Recorded) -> str:
    """The text of the client's last user turn."""
    turns = [blocks for role, blocks in conversation(recorded) if role == "user"]
    return text_of(turns[-1]) if turns else ""


def says(text: str) -> Callable[[Recorded], bool]:
    """For `script(when=...)`: requests whose last user turn holds this text."""
    return lambda recorded: text in last_user_text(recorded)


def text_of(blocks: Blocks) -> str:
    """The blocks' text, joined."""
    return "".join(block["text"] for block in blocks if block.get("type") == "text")


def as_blocks(content: str | Blocks) -> Blocks:
    """Content in its long form."""
    return [{"type": "text", "text": content}] if isinstance(content, str) else list(content)


def _without_cache(block: Mapping[str, Any]) -> dict[str, Any]:
    plain = {key: value for key, value in block.items() if key != "cache_control"}
    if isinstance(plain.get("content"), list):
        plain["content"] = [_without_cache(inner) for inner in plain["content"]]
    return plain


def _without_reminders(blocks: Blocks) -> Blocks:
    kept = 0
    while kept < len(blocks) and blocks[kept].get("text", "").startswith(REMINDER):
        kept += 1
    return blocks[kept:]


def _bare_tool_use(block: dict[str, Any]) -> dict[str, Any]:
    if block.get("type") != "tool_use":
        return block
    return {**block, "name": block["name"].removeprefix(TOOL_PREFIX)}
