"""Messages between Codex's agents: items `agent_message`, unknown to OpenAI's schema (Codex CLI 0.171.0).

Codex puts what an agent has written to another one into parts `encrypted_content`, since OpenAI's models encrypt it.
Claude writes it in plain words, which are read here; what OpenAI has encrypted is left out.
"""

from collections.abc import Iterator
from typing import Annotated, Literal, NotRequired

from typing_extensions import TypedDict

from server.core.messages import Block, text_block
from server.dialects.validation import ByMember, ListOf, TextOr

_ENCRYPTED = "gAAAA"
"""How OpenAI's encrypted content begins."""


class PlainPart(TypedDict):
    type: Literal["input_text", "output_text", "text"]
    text: str


class EncryptedPart(TypedDict):
    type: Literal["encrypted_content"]
    encrypted_content: str


class AgentMessageItem(TypedDict):
    type: Literal["agent_message"]
    author: NotRequired[str | None]
    recipient: NotRequired[str | None]
    content: NotRequired[TextOr[str, ListOf[Annotated[PlainPart | EncryptedPart, ByMember("type")]]] | None]


def agent_message_blocks(item: AgentMessageItem) -> tuple[list[Block], bool]:
    """The blocks for the user's turn, and whether something encrypted was left out."""
    texts = list(_list_texts(item))
    words = [text for text in texts if text.strip() and not text.startswith(_ENCRYPTED)]
    named = (("from", item.get("author")), ("to", item.get("recipient")))
    names = "".join(f" {word} {name}" for word, name in named if name)
    blocks = [text_block("\n\n".join([f"Message{names}:", *words]))] if words else []
    return blocks, any(text.startswith(_ENCRYPTED) for text in texts)


def _list_texts(item: AgentMessageItem) -> Iterator[str]:
    content = item.get("content") or ()
    if isinstance(content, str):
        yield content
        return
    for part in content:
        yield part["encrypted_content"] if part["type"] == "encrypted_content" else part["text"]
