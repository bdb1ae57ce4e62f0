"""A recorded request as the client wrote it: without what the CLI adds on the way."""

import re
from collections.abc import Callable, Mapping
from typing import Any

from tests.simulator.recording import Recorded

Blocks = list[dict[str, Any]]

CLI_SYSTEM_BLOCKS = (
    "x-anthropic-billing-header",
    "You are a Claude agent, built on Anthropic's Claude Agent SDK.",
)
ENVIRONMENT_NOTES = tuple(
    f"<system-reminder>\n{opening}"
    for opening in ("# Environment\n", "You are powered by the model named ", "Today's date is ")
)
"""How the CLI's notes begin on models before 5. They lead the first turn that a process sends by itself."""

TOKENS_LEFT = re.compile(r"\n?<system-reminder>\n<total_tokens>.*</total_tokens>\n</system-reminder>\n?")
"""What the CLI puts behind a tool result on models before 5, as a block of its own or within the text."""

TOOL_PREFIX = "mcp__client__"


def conversation(recorded: Recorded) -> list[tuple[str, Blocks]]:
    """The client's turns as (role, blocks), in order; a string is one text block, turns are never joined.

    Left out: turns of role `system` (the CLI's environment note on models from 5 on), the same note and the
    count of tokens left as `<system-reminder>` texts (older models), and `cache_control`. Tool calls have the
    client's own names.
    """
    turns = [message for message in recorded.body["messages"] if message["role"] != "system"]
    return [(turn["role"], _client_blocks(turn["content"])) for turn in turns]


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


def _client_blocks(content: str | Blocks) -> Blocks:
    blocks = [_without_cache(block) for block in as_blocks(content)]
    kept = [block for block in blocks if not block.get("text", "").startswith(ENVIRONMENT_NOTES)]
    return [_as_client_wrote(block) for block in kept]


def _without_cache(block: Mapping[str, Any]) -> dict[str, Any]:
    plain = {key: value for key, value in block.items() if key != "cache_control"}
    if isinstance(plain.get("content"), list):
        plain["content"] = [_without_cache(inner) for inner in plain["content"]]
    return plain


def _as_client_wrote(block: dict[str, Any]) -> dict[str, Any]:
    match block.get("type"):
        case "tool_use":
            return {**block, "name": block["name"].removeprefix(TOOL_PREFIX)}
        case "tool_result" if isinstance(block.get("content"), list):
            return {**block, "content": _without_notes(block["content"])}
        case "tool_result" if isinstance(block.get("content"), str):
            return {**block, "content": TOKENS_LEFT.sub("", block["content"])}
        case _:
            return block


def _without_notes(blocks: Blocks) -> Blocks:
    """Without the CLI's notes at the end, which it puts into a result where no other block of the user's follows."""
    kept = list(blocks)
    while kept and _is_note(kept[-1].get("text", "")):
        kept.pop()
    if len(kept) < len(blocks) and kept and "text" in kept[-1]:
        # The CLI ends the text before its note with a line break of its own.
        kept[-1] = {**kept[-1], "text": kept[-1]["text"].removesuffix("\n")}
    return kept


def _is_note(text: str) -> bool:
    return TOKENS_LEFT.fullmatch(text) is not None or text.startswith(ENVIRONMENT_NOTES)
