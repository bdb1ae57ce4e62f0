"""The entrance: a chat completion's body as a `Call`."""

from typing import Any

from server.core.messages import MessagesRequest
from server.dialects.base import Call, Context
from server.dialects.chat_completions.encoder import ChatCompletionEncoder
from server.dialects.chat_completions.fields import Field
from server.dialects.chat_completions.parameters import read_parameters
from server.dialects.chat_completions.passed_over import unread_fields
from server.dialects.chat_completions.tools import Tools, read_tools
from server.dialects.chat_completions.turns import read_messages
from server.dialects.left_out import left_out_warnings
from server.models.aliases import resolve_model, with_named_thinking

MOST_CHOICES = 8
"""The highest `n`: each choice is a conversation of its own with the model."""


def to_messages(body: Any, context: Context) -> Call:
    """What a CreateChatCompletionRequest asks for. `session_id` in the body is an extension of ours.

    What cannot be served, or is not known here, is named in the call's warnings.
    Raises `InvalidRequest` with the path of the field at fault, and `ModelNotFound`.
    """
    root = Field(body)
    root.object()
    warnings: list[str] = []
    tools = read_tools(root)
    request = _messages_request(root, tools, context, warnings)
    call = Call(
        request=request,
        stream=root.member("stream").boolean(),
        encoder=ChatCompletionEncoder(
            completion_id=f"chatcmpl-{context.response_id}",
            created=context.created,
            model=request.requested_model,
            include_usage=_includes_usage(root.member("stream_options")),
            legacy_functions=tools.legacy,
        ),
        n=1 if root.member("n").missing else root.member("n").integer(1, MOST_CHOICES),
        warnings=warnings,
    )
    warnings += left_out_warnings(unread_fields(root))
    return call


def _messages_request(body: Field, tools: Tools, context: Context, warnings: list[str]) -> MessagesRequest:
    model = body.member("model")
    name = context.default_model if model.missing else model.filled_string()
    resolved = resolve_model(name, context)
    session = body.member("session_id")
    system, messages = read_messages(body.member("messages"), warnings)
    request = MessagesRequest(
        model=resolved,
        requested_model=name or resolved,
        messages=messages,
        system=system,
        tools=tools.tools,
        tool_choice=tools.choice,
        session_id=None if session.missing else session.filled_string(),
        **read_parameters(body, warnings),
    )
    return with_named_thinking(request)


def _includes_usage(stream_options: Field) -> bool:
    return not stream_options.missing and stream_options.member("include_usage").boolean()
