"""Compaction: a conversation's summary in place of its items.

A request that ends in `compaction_trigger` asks for a summary. It leaves as one sealed item, which the client sends in
place of what it stands for. https://platform.openai.com/docs/guides/compaction
"""

from collections.abc import Sequence

from server.core.messages import Block, MessagesRequest, text_block
from server.dialects.responses.items import Item
from server.dialects.responses.sealing import Sealer

INSTRUCTION = (
    "The conversation so far is about to be replaced by a summary, with which alone the work goes on. Write this "
    "summary. It must hold what the user asked for and means by it, instructions that still apply, decisions and their "
    "reasons, what was done and found out with exact names of files, commands and values, the state of the work, open "
    "problems and the next step. Do not go on with the work itself. Answer with the summary alone."
)
_SUMMARY = "The conversation before this point was replaced by this summary of it:\n\n"


def asks_for_summary(items: Sequence[Item]) -> bool:
    """Whether the items end in a trigger. One within a conversation has had its effect already."""
    return bool(items) and items[-1]["type"] == "compaction_trigger"


def as_summary_request(request: MessagesRequest) -> MessagesRequest:
    """The request for a summary in plain text, of a conversation that ends in `INSTRUCTION`."""
    return request.with_changes(
        tool_choice={"type": "none"} if request.tools else None, output_schema=None, json_object=False
    )


def open_summary(sealed: str, sealer: Sealer | None) -> Block | None:
    """The text for a compaction item; None if this server did not seal it."""
    block = sealer.open(sealed, "text") if sealer is not None else None
    return None if block is None or not block["text"].strip() else text_block(_SUMMARY + block["text"])
