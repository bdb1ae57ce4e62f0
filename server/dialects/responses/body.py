"""The body of a response request as pydantic checks it.

What the types do not name is left out, and the client is warned of it. Schema: CreateResponse of openai/openai-openapi.
"""

from typing import Any, NotRequired

from pydantic import TypeAdapter
from typing_extensions import TypedDict

from server.dialects.openai.fields import FilledText, Temperature, TokenLimit, TopP
from server.dialects.openai.tool_choice import ChoiceMode
from server.dialects.responses.choices import ChoiceObject
from server.dialects.responses.configuration import Configuration
from server.dialects.responses.definitions import ToolDefinition
from server.dialects.responses.items import Input
from server.dialects.validation import ListOf, TextOr, check_body


class Conversation(TypedDict):
    id: FilledText


class InputBody(Configuration):
    """The part that also counts as input tokens.

    `session_id` is an extension of this server's. `previous_response_id` and `conversation` are only repeated in the
    response: their items are already part of `input`.
    """

    model: NotRequired[FilledText | None]
    session_id: NotRequired[FilledText | None]
    input: NotRequired[Input | None]
    instructions: NotRequired[str | None]
    previous_response_id: NotRequired[FilledText | None]
    conversation: NotRequired[TextOr[FilledText, Conversation] | None]
    tools: NotRequired[ListOf[ToolDefinition] | None]
    tool_choice: NotRequired[TextOr[ChoiceMode, ChoiceObject] | None]
    parallel_tool_calls: NotRequired[bool | None]


class ResponsesBody(InputBody):
    background: NotRequired[bool | None]
    include: NotRequired[ListOf[str] | None]
    max_output_tokens: NotRequired[TokenLimit | None]
    store: NotRequired[bool | None]
    stream: NotRequired[bool | None]
    temperature: NotRequired[Temperature | None]
    top_p: NotRequired[TopP | None]


_BODY = TypeAdapter(ResponsesBody)
_INPUT_BODY = TypeAdapter(InputBody)


def check_responses_body(body: Any) -> ResponsesBody:
    """Check a body. Raises `InvalidRequest`."""
    return check_body(_BODY, body)


def check_input_body(body: Any) -> InputBody:
    """Check a body of `input_tokens`, which has no limits of an answer. Raises `InvalidRequest`."""
    return check_body(_INPUT_BODY, body)
