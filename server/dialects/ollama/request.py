"""The bodies of `/api/chat` and `/api/generate` as a `Call`."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from server.core.messages import MessagesRequest
from server.dialects.base import Call, Context
from server.dialects.chat_completions.tools import Tools, read_client_tools
from server.dialects.completions.request import Completion, typed_text
from server.dialects.left_out import dropped_fields, left_out_warnings
from server.dialects.ollama.body import (
    ChatBody,
    GenerateBody,
    UserMessage,
    check_chat_body,
    check_generate_body,
    wants_stream,
)
from server.dialects.ollama.completion import read_completion
from server.dialects.ollama.encoder import OllamaEncoder, chat_shape, generate_shape
from server.dialects.ollama.options import IGNORED, UNSUPPORTED, read_parameters, with_default_thinking
from server.dialects.ollama.turns import read_messages
from server.dialects.openai.parameters import unsupported_warnings
from server.models.aliases import resolve_model


def chat_to_messages(body: Any, context: Context) -> Call:
    """Translate a body of `/api/chat`. Raises `InvalidRequest` or `ModelNotFound`."""
    checked, tools, warnings = check_chat_body(body), _read_tools(body), list[str]()
    talk = read_messages(checked.get("messages") or (), context.call_ids, warnings)
    fields = {"system": talk.system, "messages": talk.messages, "tools": tools.tools}
    request = with_default_thinking(_make_request(checked, context, warnings, fields))
    encoder = OllamaEncoder(chat_shape, model=request.requested_model, context=context, history=talk.digest)
    return _make_call(request, body, {**checked, **tools.fields}, encoder, warnings)


def generate_to_messages(body: Any, context: Context) -> Call:
    """Translate a body of `/api/generate`. Raises `InvalidRequest` or `ModelNotFound`."""
    checked, warnings = check_generate_body(body), list[str]()
    if (completion := read_completion(checked)) is not None:
        return _make_completion_call(completion, body, checked, context)
    request = with_default_thinking(_make_request(checked, context, warnings, _read_prompt(checked, context, warnings)))
    encoder = OllamaEncoder(generate_shape, model=request.requested_model, context=context)
    return _make_call(request, body, checked, encoder, warnings)


def _make_completion_call(
    completion: Completion, body: dict[str, Any], checked: GenerateBody, context: Context
) -> Call:
    """The call for a text that is completed at a cursor, as `/v1/completions` does."""
    warnings: list[str] = []
    system = [*completion.question.system, *filter(None, [checked.get("system")])]
    fields = {"system": system, "messages": completion.question.messages, "is_one_off": True}
    request = _make_request(checked, context, warnings, fields)
    request = request.with_changes(stop_sequences=completion.stop_sequences(), avoid_thinking=not checked.get("think"))
    encoder = OllamaEncoder(generate_shape, model=request.requested_model, context=context, explains_refusals=False)
    return replace(
        _make_call(request, body, checked, encoder, warnings),
        make_filter=lambda choice: completion.make_filter(),
        part_of_session=False,
        typed=typed_text([completion]),
    )


def _read_prompt(body: GenerateBody, context: Context, warnings: list[str]) -> dict[str, Any]:
    message = UserMessage(role="user", content=body.get("prompt"), images=body.get("images"))
    talk = read_messages([message], context.call_ids, warnings)
    return {"system": list(filter(None, [body.get("system")])), "messages": talk.messages}


def _read_tools(body: Mapping[str, Any]) -> Tools:
    """The tools of a body, in OpenAI's shape. Their type may be missing."""
    tools = body.get("tools")
    if isinstance(tools, list):
        tools = [{**tool, "type": tool.get("type") or "function"} if isinstance(tool, dict) else tool for tool in tools]
    return read_client_tools({"tools": tools})


def _make_request(
    body: ChatBody | GenerateBody, context: Context, warnings: list[str], fields: dict[str, Any]
) -> MessagesRequest:
    name = body.get("model") or context.default_model
    named = resolve_model(name, context)
    request = MessagesRequest(
        model=named.model,
        requested_model=name or named.model,
        session_id=body.get("session_id"),
        **fields,
        **read_parameters(body, warnings),
    )
    return named.apply_to(request)


def _make_call(
    request: MessagesRequest,
    body: dict[str, Any],
    checked: Mapping[str, Any],
    encoder: OllamaEncoder,
    warnings: list[str],
) -> Call:
    options = body.get("options") or {}
    # The options are named by `unsupported_warnings`.
    sent = {name: value for name, value in body.items() if name != "options"}
    left_out = left_out_warnings(dropped_fields(sent, checked, IGNORED, {}))
    return Call(
        request=request,
        stream=wants_stream(body),
        encoder=encoder,
        warnings=[*warnings, *unsupported_warnings(options, UNSUPPORTED), *left_out],
    )
