"""Requests and answers in the fewest words, for the tests of backends."""

from server.core.messages import MessageFold, MessagesRequest

MODEL = "claude-haiku-5-5"


def text(words):
    return {"type": "text", "text": words}


def user(*blocks):
    return {"role": "user", "content": [text(block) if isinstance(block, str) else block for block in blocks]}


def assistant(*blocks):
    return {**user(*blocks), "role": "assistant"}


def ask(*messages, model=MODEL, **more):
    """A request; a string is a user turn."""
    turns = [user(message) if isinstance(message, str) else message for message in messages]
    return MessagesRequest(model=model, requested_model=model, messages=turns, **more)


def tool(name, **properties):
    schema = {"type": "object", "properties": properties}
    return {"name": name, "description": f"The tool {name}.", "input_schema": schema}


async def fold(events):
    """The whole message of a stream of events."""
    whole = MessageFold()
    async for event in events:
        whole.feed(event)
    assert whole.finished
    return whole


def words(whole):
    return "".join(block.get("text", "") for block in whole.content)
