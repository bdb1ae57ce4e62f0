"""A conversation as display blocks, from top to bottom. Pure functions without Qt, so they can run in a thread."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from server.core import exact_json
from server.core.messages import Block as ContentBlock
from server.core.messages import Message, is_server_block
from server.core.records import Session
from tray_app.models.sessions.markdown import Code, Plain, Prose, split_code, split_markdown, split_plain

CollapsibleKind = Literal["system", "thinking", "tool_call", "tool_result", "server_tool"]
BlockKey = tuple[int, int]
"""Index of a message and of a content block in it; (-1, 0) is the system prompt."""


@dataclass(frozen=True, slots=True)
class Heading:
    """The role of the following blocks; `message` is the index of its first message."""

    role: Literal["user", "assistant"]
    message: int


@dataclass(frozen=True, slots=True)
class Picture:
    """An image. `data` is base64; None if the image is only linked by `url`, which is never fetched."""

    media_type: str
    data: str | None
    url: str = ""


@dataclass(frozen=True, slots=True)
class OmittedContent:
    """Content that is not shown, such as a PDF."""

    kind: str
    media_type: str = ""


@dataclass(frozen=True, slots=True)
class Label:
    """A line above a part of an expanded block."""

    kind: Literal["arguments", "result", "error", "no_result"]


@dataclass(frozen=True, slots=True)
class Collapsible:
    """A row that expands to `expand_collapsible`. `name` is the tool's name. The API runs a `server_tool` itself."""

    key: BlockKey
    kind: CollapsibleKind
    name: str
    content: ContentBlock
    result: ContentBlock | None = None

    @property
    def is_failed(self) -> bool:
        """Whether the tool reported a failure."""
        result = self.result or self.content
        content = result.get("content")
        is_server_error = isinstance(content, dict) and str(content.get("type")).endswith("_error")
        return bool(result.get("is_error")) or is_server_error


DisplayBlock = Heading | Prose | Plain | Code | Picture | OmittedContent | Label | Collapsible


def build_blocks(session: Session) -> tuple[DisplayBlock, ...]:
    """All blocks of the conversation, collapsed, oldest first."""
    results = _results_by_call(session.messages)
    shown: list[DisplayBlock] = []
    system = "\n\n".join(session.system)
    if system.strip():
        shown.append(Collapsible((-1, 0), "system", "", {"type": "text", "text": system}))
    role = None
    for index, message in enumerate(session.messages):
        blocks = list(_message_blocks(index, message, results))
        if blocks and message["role"] != role:
            role = message["role"]
            shown.append(Heading(role, index))
        shown += blocks
    return tuple(shown)


def expand_collapsible(collapsible: Collapsible) -> tuple[DisplayBlock, ...]:
    """The body of a collapsible block."""
    match collapsible.kind:
        case "system":
            return tuple(split_plain(str(collapsible.content.get("text", ""))))
        case "thinking":
            return tuple(split_markdown(str(collapsible.content.get("thinking", ""))))
        case "tool_call":
            arguments = split_code(_format_json(collapsible.content.get("input")), "json")
            return (Label("arguments"), *arguments, *_result_blocks(collapsible.result))
        case "tool_result":
            return tuple(_result_blocks(collapsible.content))
        case "server_tool":
            arguments = split_code(_format_json(collapsible.content.get("input")), "json")
            return (Label("arguments"), *arguments, *_server_result_blocks(collapsible))


def flatten_blocks(
    blocks: Sequence[DisplayBlock], expanded: Mapping[BlockKey, Sequence[DisplayBlock]]
) -> list[tuple[DisplayBlock, bool]]:
    """The blocks with expanded bodies inserted, and whether each block is part of such a body."""
    flat: list[tuple[DisplayBlock, bool]] = []
    for block in blocks:
        flat.append((block, False))
        if isinstance(block, Collapsible) and block.key in expanded:
            flat += ((inner, True) for inner in expanded[block.key])
    return flat


def turn_text(messages: Sequence[Message], start: int) -> str:
    """The text of the turn that starts with message `start`; tool results do not end the turn."""
    texts: list[str] = []
    for index, message in enumerate(messages[start:]):
        only_results = all(content_block.get("type") == "tool_result" for content_block in message["content"])
        if index and message["role"] != messages[start]["role"] and not only_results:
            break
        texts += (str(part.get("text", "")) for part in message["content"] if part.get("type") == "text")
    return "\n\n".join(text for text in texts if text.strip())


def _results_by_call(messages: Sequence[Message]) -> dict[str, ContentBlock]:
    """Tool results by call id, if the call is in the conversation."""
    calls = {
        content_block.get("id")
        for message in messages
        if message["role"] == "assistant"
        for content_block in message["content"]
        if content_block.get("type") == "tool_use" or is_server_block(content_block)
    }
    return {
        str(content_block["tool_use_id"]): content_block
        for message in messages
        for content_block in message["content"]
        if _is_result(content_block) and content_block.get("tool_use_id") in calls
    }


def _is_result(content_block: ContentBlock) -> bool:
    return content_block.get("type") == "tool_result" or (
        "tool_use_id" in content_block and is_server_block(content_block)
    )


def _message_blocks(index: int, message: Message, results: Mapping[str, ContentBlock]) -> Iterator[DisplayBlock]:
    for position, content_block in enumerate(message["content"]):
        yield from _content_blocks((index, position), message["role"], content_block, results)


def _content_blocks(
    key: BlockKey, role: str, content_block: ContentBlock, results: Mapping[str, ContentBlock]
) -> Iterator[DisplayBlock]:
    match content_block.get("type"):
        case "text":
            # A prompt is shown verbatim: Markdown would drop the asterisks of 2*3*4.
            text = str(content_block.get("text", ""))
            yield from split_plain(text) if role == "user" else split_markdown(text)
        case "thinking":
            if str(content_block.get("thinking", "")).strip():
                yield Collapsible(key, "thinking", "", content_block)
        case "tool_use":
            name, result = str(content_block.get("name", "")), results.get(str(content_block.get("id")))
            yield Collapsible(key, "tool_call", name, content_block, result)
        case "tool_result":
            if str(content_block.get("tool_use_id")) not in results:
                yield Collapsible(key, "tool_result", "", content_block)
        case "server_tool_use" | "mcp_tool_use":
            name, result = str(content_block.get("name", "")), results.get(str(content_block.get("id")))
            yield Collapsible(key, "server_tool", name, content_block, result)
        case _ if str(content_block.get("tool_use_id")) in results:
            return  # Part of its call.
        case _:
            yield _attachment_block(content_block)


def _server_result_blocks(collapsible: Collapsible) -> Iterator[DisplayBlock]:
    """What the API's own tool gave: the pages that a search found, otherwise the result as JSON."""
    if collapsible.result is None:
        yield Label("no_result")
        return
    yield Label("error" if collapsible.is_failed else "result")
    content = collapsible.result.get("content")
    pages = content if isinstance(content, list) else []
    found = [f"{page.get('title') or ''}\n{page['url']}" for page in pages if isinstance(page, dict) and "url" in page]
    yield from split_plain("\n\n".join(found)) if found else split_code(_format_json(content), "json")


def _result_blocks(content_block: ContentBlock | None) -> Iterator[DisplayBlock]:
    if content_block is None:
        yield Label("no_result")
        return
    yield Label("error" if content_block.get("is_error") else "result")
    content = content_block.get("content") or ""
    for part in [{"type": "text", "text": content}] if isinstance(content, str) else content:
        if part.get("type") == "text":
            yield from split_code(str(part.get("text", "")))
        else:
            yield _attachment_block(part)


def _attachment_block(content_block: ContentBlock) -> Picture | OmittedContent:
    kind = str(content_block.get("type", ""))
    source = content_block.get("source")
    source = source if isinstance(source, dict) else {}
    media_type = str(source.get("media_type") or "")
    if kind != "image":
        return OmittedContent(kind, media_type)
    if source.get("type") == "base64":
        return Picture(media_type, str(source.get("data") or ""))
    return Picture(media_type, None, str(source.get("url") or ""))


def _format_json(value: Any) -> str:
    return exact_json.dumps(value, indent=True).decode()
