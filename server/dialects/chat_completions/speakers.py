"""Names of speakers, which the Messages API has no field for: they stand before the words, as in a play.

https://platform.openai.com/docs/api-reference/chat/create: `name` "provides the model information to differentiate
between participants of the same role". System messages of `example_user` and `example_assistant` are examples of a
conversation (https://cookbook.openai.com/examples/how_to_format_inputs_to_chatgpt_models).
"""

from server.core.messages import Block, text_block
from server.dialects.chat_completions.fields import Field

_EXAMPLES = ("example_user", "example_assistant")


def name_of(message: Field) -> str:
    """The speaker's name; empty without one."""
    name = message.member("name")
    return "" if name.missing else name.string().strip()


def assistant_names(messages: list[Field]) -> list[str]:
    """The names that the assistant speaks under, each once."""
    answers = (message for message in messages if message.member("role").value == "assistant")
    return list(dict.fromkeys(filter(None, map(name_of, answers))))


def spoken(blocks: list[Block], name: str) -> list[Block]:
    """The blocks as said by `name`, unless the client has written the name there itself."""
    if not blocks or not name:
        return blocks
    first, *rest = blocks
    if first["type"] != "text":
        return [text_block(f"{name}:"), *blocks]
    if first["text"].startswith(f"{name}:"):
        return blocks
    return [text_block(f"{name}: {first['text']}"), *rest]


def instructed(blocks: list[Block], name: str) -> list[Block]:
    """A system message's blocks; an example's in a tag that says who speaks in it."""
    if name not in _EXAMPLES or not blocks:
        return spoken(blocks, name)
    words = "\n\n".join(block["text"] for block in blocks)
    return [text_block(f"<{name}>\n{words}\n</{name}>")]
