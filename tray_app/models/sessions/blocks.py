"""A conversation as the pieces that are shown one below the other. Pure: no Qt, so that it can run in a thread."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from server.core import exact_json
from server.core.messages import Block, Message
from server.core.records import Session
from tray_app.models.sessions.markdown import Code, Plain, Prose, split_code, split_markdown, split_plain

FoldKind = Literal["system", "thinking", "tool_call", "tool_result"]
Key = tuple[int, int]
"""The index of a message and of a block in it; the system prompt is (-1, 0)."""


@dataclass(frozen=True, slots=True)
class Heading:
    """The role that speaks from here on; `message` is the index of its first message."""

    role: Literal["user", "assistant"]
    message: int


@dataclass(frozen=True, slots=True)
class Picture:
    """An image. `data` is its base64 text, None if it is only named by `url`, which is never fetched."""

    media_type: str
    data: str | None
    url: str = ""


@dataclass(frozen=True, slots=True)
class Note:
    """Something that is there but not shown, such as a PDF."""

    kind: str
    media_type: str = ""


@dataclass(frozen=True, slots=True)
class Label:
    """A line above what follows, within a fold."""

    kind: Literal["arguments", "result", "error", "no_result"]


@dataclass(frozen=True, slots=True)
class Fold:
    """A row that opens to `fold_body`. `name` is the tool's; `block` and `result` are what is in it."""

    key: Key
    kind: FoldKind
    name: str
    block: Block
    result: Block | None = None

    @property
    def failed(self) -> bool:
        """Whether the tool said that it failed."""
        return bool((self.result or self.block).get("is_error"))


Piece = Heading | Prose | Plain | Code | Picture | Note | Label | Fold


def pieces_of(session: Session) -> tuple[Piece, ...]:
    """All pieces of the conversation, folds closed, oldest first."""
    results = _results(session.messages)
    shown: list[Piece] = []
    system = "\n\n".join(session.system)
    if system.strip():
        shown.append(Fold((-1, 0), "system", "", {"type": "text", "text": system}))
    role = None
    for at, message in enumerate(session.messages):
        pieces = list(_message(at, message, results))
        if pieces and message["role"] != role:
            role = message["role"]
            shown.append(Heading(role, at))
        shown += pieces
    return tuple(shown)


def fold_body(fold: Fold) -> tuple[Piece, ...]:
    """What a fold opens to."""
    match fold.kind:
        case "system":
            return tuple(split_plain(str(fold.block.get("text", ""))))
        case "thinking":
            return tuple(split_markdown(str(fold.block.get("thinking", ""))))
        case "tool_call":
            arguments = split_code(_pretty(fold.block.get("input")), "json")
            return (Label("arguments"), *arguments, *_result(fold.result))
        case "tool_result":
            return tuple(_result(fold.block))


def flatten(pieces: Sequence[Piece], opened: Mapping[Key, Sequence[Piece]]) -> list[tuple[Piece, bool]]:
    """The pieces with the bodies of the opened folds below them, and whether each is such a body's."""
    flat: list[tuple[Piece, bool]] = []
    for piece in pieces:
        flat.append((piece, False))
        if isinstance(piece, Fold) and piece.key in opened:
            flat += ((inner, True) for inner in opened[piece.key])
    return flat


def turn_text(messages: Sequence[Message], start: int) -> str:
    """The text of the turn that begins with message `start`, tool results between its parts passed over."""
    texts: list[str] = []
    for at, message in enumerate(messages[start:]):
        only_results = all(block.get("type") == "tool_result" for block in message["content"])
        if at and message["role"] != messages[start]["role"] and not only_results:
            break
        texts += (str(block.get("text", "")) for block in message["content"] if block.get("type") == "text")
    return "\n\n".join(text for text in texts if text.strip())


def _results(messages: Sequence[Message]) -> dict[str, Block]:
    """The tool results of calls that are in the conversation, by the id of the call."""
    calls = {
        block.get("id")
        for message in messages
        if message["role"] == "assistant"
        for block in message["content"]
        if block.get("type") == "tool_use"
    }
    return {
        str(block["tool_use_id"]): block
        for message in messages
        for block in message["content"]
        if block.get("type") == "tool_result" and block.get("tool_use_id") in calls
    }


def _message(at: int, message: Message, results: Mapping[str, Block]) -> Iterator[Piece]:
    for position, block in enumerate(message["content"]):
        yield from _block((at, position), message["role"], block, results)


def _block(key: Key, role: str, block: Block, results: Mapping[str, Block]) -> Iterator[Piece]:
    match block.get("type"):
        case "text":
            # A prompt is shown as it was sent: Markdown would take the asterisks out of 2*3*4.
            text = str(block.get("text", ""))
            yield from split_plain(text) if role == "user" else split_markdown(text)
        case "thinking":
            if str(block.get("thinking", "")).strip():
                yield Fold(key, "thinking", "", block)
        case "tool_use":
            yield Fold(key, "tool_call", str(block.get("name", "")), block, results.get(str(block.get("id"))))
        case "tool_result":
            if str(block.get("tool_use_id")) not in results:
                yield Fold(key, "tool_result", "", block)
        case _:
            yield _attachment(block)


def _result(block: Block | None) -> Iterator[Piece]:
    if block is None:
        yield Label("no_result")
        return
    yield Label("error" if block.get("is_error") else "result")
    content = block.get("content") or ""
    for part in [{"type": "text", "text": content}] if isinstance(content, str) else content:
        if part.get("type") == "text":
            yield from split_code(str(part.get("text", "")))
        else:
            yield _attachment(part)


def _attachment(block: Block) -> Picture | Note:
    kind = str(block.get("type", ""))
    source = block.get("source")
    source = source if isinstance(source, dict) else {}
    media_type = str(source.get("media_type") or "")
    if kind != "image":
        return Note(kind, media_type)
    if source.get("type") == "base64":
        return Picture(media_type, str(source.get("data") or ""))
    return Picture(media_type, None, str(source.get("url") or ""))


def _pretty(value: Any) -> str:
    return exact_json.dumps(value, indent=True).decode()
