"""A chat completion's body as a `Call`."""

from collections.abc import Sequence
from typing import Any

from server.core.messages import MessagesRequest
from server.dialects.base import Call, Context
from server.dialects.chat_completions.body import AssistantMessage, ChatBody, ChatMessage, check_chat_body
from server.dialects.chat_completions.encoder import ChatCompletionEncoder
from server.dialects.chat_completions.ignored_fields import IGNORED
from server.dialects.chat_completions.parameters import UNSUPPORTED, read_parameters
from server.dialects.chat_completions.tools import Tools, read_tools
from server.dialects.chat_completions.turns import read_messages
from server.dialects.left_out import dropped_fields, left_out_warnings
from server.dialects.openai.parameters import unsupported_warnings
from server.models.aliases import resolve_model


def to_messages(body: Any, context: Context) -> Call:
    """Translate a request body. Raises `InvalidRequest` or `ModelNotFound`."""
    checked = check_chat_body(body)
    warnings: list[str] = []
    tools = read_tools(body, warnings)
    request = _read_request(checked, tools, context, warnings)
    supported = {name: value for name, value in body.items() if name not in UNSUPPORTED}
    return Call(
        request=request,
        stream=bool(checked.get("stream")),
        encoder=ChatCompletionEncoder(
            completion_id=f"chatcmpl-{context.response_id}",
            created=context.created,
            model=request.requested_model,
            include_usage=bool((checked.get("stream_options") or {}).get("include_usage")),
            legacy_functions=tools.legacy,
        ),
        n=checked.get("n") or 1,
        warnings=[
            *warnings,
            *unsupported_warnings(body, UNSUPPORTED),
            *left_out_warnings(dropped_fields(supported, {**checked, **tools.fields}, IGNORED, {})),
        ],
    )


def _read_request(body: ChatBody, tools: Tools, context: Context, warnings: list[str]) -> MessagesRequest:
    name = body.get("model") or context.default_model
    named = resolve_model(name, context)
    system, messages = read_messages(_messages_with_prefill(body), warnings)
    request = MessagesRequest(
        model=named.model,
        requested_model=name or named.model,
        messages=messages,
        system=system,
        tools=tools.tools,
        tool_choice=tools.choice,
        session_id=body.get("session_id"),
        optional_tools=tools.optional,
        hides_server_blocks=True,
        **read_parameters(body, warnings),
    )
    return named.apply_to(request)


def _messages_with_prefill(body: ChatBody) -> Sequence[ChatMessage]:
    """The messages, with `assistant_prefill` as a last one that the answer continues."""
    prefill = body.get("assistant_prefill")
    if not prefill:
        return body["messages"]
    return [*body["messages"], AssistantMessage(role="assistant", content=prefill)]
