"""Refusals that concern blocks of the API's own tools in earlier answers.

https://platform.claude.com/docs/en/agents-and-tools/tool-use/web-search-tool and the pages beside it. The API decrypts
what it encrypted: a result that was changed is refused.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

Turn = Mapping[str, Any]

RESULT_TYPES = frozenset(
    {
        "bash_code_execution_tool_result",
        "code_execution_tool_result",
        "text_editor_code_execution_tool_result",
        "tool_search_tool_result",
        "web_fetch_tool_result",
        "web_search_tool_result",
    }
)
SERVER_BLOCK_TYPES = RESULT_TYPES | {"container_upload", "server_tool_use"}
ENCRYPTED = "ENC"
"""Begins every encrypted value that the simulator accepts."""
CALL_ID_PATTERN = "^srvtoolu_[a-zA-Z0-9_]+$"


def server_block_faults(at: str, block: Turn) -> Iterator[str]:
    """Each fault of one block."""
    kind = block["type"]
    if kind == "server_tool_use":
        yield from _call_faults(f"{at}.{kind}", block)
    elif kind in RESULT_TYPES:
        yield from _result_faults(f"{at}.{kind}", block)
    elif not isinstance(block.get("file_id"), str):
        yield f"{at}.{kind}.file_id: Field required"


def _call_faults(at: str, block: Turn) -> Iterator[str]:
    for name in ("id", "input", "name"):
        if name not in block:
            yield f"{at}.{name}: Field required"
    if not re.fullmatch(CALL_ID_PATTERN, str(block.get("id"))):
        yield f"{at}.id: String should match pattern '{CALL_ID_PATTERN}'"
    if not isinstance(block.get("input"), dict):
        yield f"{at}.input: Input should be an object"


def _result_faults(at: str, block: Turn) -> Iterator[str]:
    for name in ("content", "tool_use_id"):
        if name not in block:
            yield f"{at}.{name}: Field required"
    found = block.get("content")
    for position, result in enumerate(found if isinstance(found, list) else []):
        if result.get("type") != "web_search_result":
            continue
        for name in ("encrypted_content", "title", "url"):
            if not isinstance(result.get(name), str):
                yield f"{at}.content.{position}.{name}: Field required"
        if not str(result.get("encrypted_content")).startswith(ENCRYPTED):
            yield f"{at}.content.{position}: Invalid `encrypted_content` in `search_result` block"


def pairing_faults(turns: Sequence[tuple[int, Turn]]) -> Iterator[str]:
    """Every call needs its result behind it in the same answer, unless the answer was paused there."""
    for place, (at, turn) in enumerate(turns):
        blocks = turn["content"] if isinstance(turn["content"], list) else []
        calls = [block["id"] for block in blocks if block["type"] == "server_tool_use"]
        results = [block["tool_use_id"] for block in blocks if block["type"] in RESULT_TYPES]
        for id_ in results:
            if id_ not in calls and not _was_paused(turns, place):
                yield f"messages.{at}: unexpected `tool_use_id` found in a server tool's result: {id_}"
        missing = [id_ for id_ in calls if id_ not in results]
        if missing and place < len(turns) - 1 and not any(block["type"] == "tool_use" for block in blocks):
            yield (
                f"messages.{at}: `{_name(blocks, missing[0])}` tool use with id `{missing[0]}` was found without a "
                f"corresponding `{_name(blocks, missing[0])}_tool_result` block"
            )


def _was_paused(turns: Sequence[tuple[int, Turn]], place: int) -> bool:
    return place > 0 and turns[place - 1][1]["role"] == "assistant"


def _name(blocks: Sequence[Turn], id_: str) -> str:
    return str(next(block["name"] for block in blocks if block.get("id") == id_))
