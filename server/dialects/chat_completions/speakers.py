"""Names of speakers, put before their text: the Messages API has no such field.

https://platform.openai.com/docs/api-reference/chat/create: `name` "provides the model information to differentiate
between participants of the same role". System messages of `example_user` and `example_assistant` are examples of a
conversation (https://cookbook.openai.com/examples/how_to_format_inputs_to_chatgpt_models).
"""

from collections.abc import Iterable

from server.core.messages import Block, text_block
from server.dialects.chat_completions.body import ChatMessage

_EXAMPLES = ("example_user", "example_assistant")


def name_of(message: ChatMessage) -> str:
    """The speaker's name; empty without one."""
    return (message.get("name") or "").strip()


def assistant_names(messages: Iterable[ChatMessage]) -> list[str]:
    """The names that the assistant speaks under, each once."""
    return list(dict.fromkeys(filter(None, (name_of(each) for each in messages if each["role"] == "assistant"))))


def add_speaker(blocks: list[Block], name: str) -> list[Block]:
    """Put `name` before the blocks, unless their text already begins with it."""
    if not blocks or not name:
        return blocks
    first, *rest = blocks
    if first["type"] != "text":
        return [text_block(f"{name}:"), *blocks]
    if first["text"].startswith(f"{name}:"):
        return blocks
    return [text_block(f"{name}: {first['text']}"), *rest]


def add_system_speaker(blocks: list[Block], name: str) -> list[Block]:
    """Put `name` before a system message, or an example into a tag of that name."""
    if name not in _EXAMPLES or not blocks:
        return add_speaker(blocks, name)
    words = "\n\n".join(block["text"] for block in blocks)
    return [text_block(f"<{name}>\n{words}\n</{name}>")]
