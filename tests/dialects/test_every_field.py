"""Every field of both SDKs is honoured, named in a warning, refused, or ignored.

The types come from the installed packages, so that fields of newer SDKs are tested too.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import pytest
from anthropic.types import message_create_params
from anthropic.types.beta import message_create_params as beta_create_params
from openai.types import completion_create_params as legacy_create_params
from openai.types.chat import completion_create_params
from openai.types.responses import response_create_params

from server.core.errors import InvalidRequest
from server.dialects import chat_completions, completions, messages, responses
from server.dialects.base import Call, Context
from server.dialects.chat_completions.ignored_fields import IGNORED as CHAT_IGNORED
from server.dialects.completions.ignored_fields import IGNORED as COMPLETIONS_IGNORED
from server.dialects.messages.ignored_fields import IGNORED as MESSAGES_IGNORED
from server.dialects.responses.ignored_fields import IGNORED as RESPONSES_IGNORED
from server.dialects.responses.sealing import Sealer
from server.models.betas import IN_EFFECT
from tests.dialects.sdk_fields import FieldCase, Fields
from tests.test_readme import table

SEALER = Sealer(b"key")
CONTEXT = Context({}, ("claude-opus-5-5", "opus"), "default", "abc", 1, sealing_key=SEALER.key)
PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
HELLO = {"role": "user", "content": "hi"}
THOUGHT = {"type": "thinking", "thinking": "a", "signature": "a"}
SCHEMA = {"type": "object", "properties": {}}
CHAT_TOOL = {"type": "function", "function": {"name": "x"}}

REFUSED = (
    "does not match any of the expected tags",
    "is none of the tools",
    "is custom, and Claude calls tools with JSON",
    "It must be one of: text",
    "does not accept audio",
    "fetching images is switched off",
    "are not fetched from web addresses",
    "Files API cannot be reached",
    "names an uploaded file",
    "not reached through Claude Code",
    "cannot be combined with `tools`",
)
"""Reasons of refusals that do not depend on the value."""


@dataclass(frozen=True)
class Dialect:
    """A dialect under test."""

    to_messages: Callable[[Any, Context], Call]
    ignored: Mapping[str, str]
    fields: Fields
    minimal: dict[str, Any]
    headers: frozenset[str] = frozenset()
    elsewhere: frozenset[str] = frozenset()
    """Fields that are for the state of conversations, and one that only says what is said otherwise."""
    effect: Callable[[Any], Any] = lambda encoder: getattr(encoder, "__dict__", encoder)
    """The part of the encoder that a field may have its effect in."""


def chat_turn(message: dict[str, Any]) -> dict[str, Any]:
    """A conversation with this message in it."""
    match message["role"]:
        case "assistant":
            calls = message.get("tool_calls", ())
            results = [{"role": "tool", "tool_call_id": call["id"], "content": "r"} for call in calls]
            return {"model": "opus", "messages": [HELLO, {"content": "b", **message}, *results, HELLO]}
        case "tool":
            call = {"id": "x", "type": "function", "function": {"name": "look", "arguments": "{}"}}
            return {"model": "opus", "messages": [HELLO, {"role": "assistant", "tool_calls": [call]}, message]}
        case "function":
            call = {"name": message["name"], "arguments": "{}"}
            return {"model": "opus", "messages": [HELLO, {"role": "assistant", "function_call": call}, message]}
    return {"model": "opus", "messages": [message, HELLO]}


def messages_turn(message: dict[str, Any]) -> dict[str, Any]:
    """A conversation with this message in it."""
    body = {"model": "opus", "max_tokens": 4000}
    message = {"content": "a", **message}
    blocks = message["content"] if isinstance(message["content"], list) else []
    if message["role"] == "assistant":
        ids = [block["id"] for block in blocks if block["type"] == "tool_use"]
        results = [{"type": "tool_result", "tool_use_id": id, "content": "r"} for id in ids]
        return {
            **body,
            "messages": [HELLO, message, {"role": "user", "content": [*results, {"type": "text", "text": "on"}]}],
        }
    ids = [block["tool_use_id"] for block in blocks if block["type"] == "tool_result"]
    calls = [{"type": "tool_use", "id": id, "name": "look", "input": {}} for id in ids]
    before = [HELLO, {"role": "assistant", "content": calls}] if calls else [HELLO]
    return {**body, "messages": [*before, message]}


CHAT = Dialect(
    chat_completions.to_messages,
    CHAT_IGNORED,
    Fields(
        samples={
            "model": ["opus", "haiku"],
            "CompletionCreateParamsNonStreaming.messages": [[HELLO]],
            "function_call": [{"name": "x", "arguments": "{}"}],
            "CompletionCreateParamsNonStreaming.function_call": [{"name": "x"}, "none"],
            "CompletionCreateParamsNonStreaming.functions": [[{"name": "x"}]],
            "CompletionCreateParamsNonStreaming.tool_choice": ["none"],
            "CompletionCreateParamsNonStreaming.parallel_tool_calls": [False],
            "ImageURL.url": [f"data:image/png;base64,{PIXEL}", f"data:image/png;base64,{PIXEL}AAAA"],
            "file_data": ["data:text/plain;base64,aGk=", "data:text/plain;base64,aGkx"],
            "ChatCompletionAssistantMessageParam.content": ["b", "c"],
            "arguments": ["{}", '{"a": 1}'],
            "input": ["{}", "x"],
            "parameters": [{**SCHEMA, "required": []}],
            "schema": [SCHEMA, {**SCHEMA, "required": []}],
            "stop": [["END"]],
            "top_p": [0.5],
            "n": [2],
            "modalities": [["audio"]],
            "stream": [True],
            "stream_options": [{"include_usage": True}],
            "ChatCompletionAllowedToolsParam.tools": [[CHAT_TOOL], []],
            "detail": ["high"],
            "response_format": [{"type": "json_object"}],
        },
        instances={
            "JSONSchema": {"name": "x", "schema": SCHEMA},
            "FileFile": {"file_data": "data:text/plain;base64,aGk="},
            "ChatCompletionUserMessageParam": HELLO,
        },
        containers={
            "ChatCompletionDeveloperMessageParam": chat_turn,
            "ChatCompletionSystemMessageParam": chat_turn,
            "ChatCompletionUserMessageParam": chat_turn,
            "ChatCompletionAssistantMessageParam": chat_turn,
            "ChatCompletionToolMessageParam": chat_turn,
            "ChatCompletionFunctionMessageParam": chat_turn,
        },
    ),
    minimal={"model": "opus", "messages": [HELLO], "tools": [CHAT_TOOL]},
)

MESSAGES = Dialect(
    messages.to_messages,
    MESSAGES_IGNORED,
    Fields(
        samples={
            "model": ["opus", "haiku"],
            "MessageCreateParamsNonStreaming.max_tokens": [4000, 5000],
            "MessageCreateParamsNonStreaming.messages": [[HELLO]],
            "budget_tokens": [2000, 3000],
            "data": [PIXEL, f"{PIXEL}AAAA"],
            "PlainTextSourceParam.data": ["words", "more"],
            "BetaPlainTextSourceParam.data": ["words", "more"],
            "input_schema": [SCHEMA, {"type": "object"}],
            "schema": [SCHEMA, {"type": "object"}],
            "SystemMessageParam.content": ["a"],
            "stop_sequences": [["END"]],
            "stream": [True],
        },
        instances={},
        containers={
            f"{beta}{role}MessageParam": messages_turn
            for beta in ("", "Beta")
            for role in ("User", "Assistant", "System")
        }
        | {"BetaMessageParam": messages_turn},
    ),
    minimal={
        "model": "opus",
        "max_tokens": 4000,
        "messages": [HELLO],
        "tools": [{"name": "x", "input_schema": SCHEMA}],
    },
    headers=frozenset({"betas", "user_profile_id", "workspace_id"}),
)

COMPLETIONS = Dialect(
    completions.to_messages,
    COMPLETIONS_IGNORED,
    Fields(
        samples={
            "model": ["opus", "haiku"],
            "CompletionCreateParamsNonStreaming.prompt": ["x = ", "y = "],
            "best_of": [2],
            "logprobs": [1],
            "n": [2],
            "stop": [["END"]],
            "top_p": [0.5],
            "stream": [True],
            "stream_options": [{"include_usage": True}],
        },
        instances={},
        containers={},
    ),
    minimal={"model": "opus", "prompt": "x = "},
)


def responses_input(item: dict[str, Any]) -> dict[str, Any]:
    """A conversation with this item in it, and the call that it answers."""
    before = []
    if item.get("type") in ("function_call_output", "custom_tool_call_output", "tool_search_output"):
        before = [{"type": "function_call", "call_id": item.get("call_id") or "x", "name": "look", "arguments": "{}"}]
    return {"model": "opus", "input": [HELLO, *before, item, {"type": "message", **HELLO}]}


ITEM_TYPES = [
    "EasyInputMessageParam",
    "Message",
    "ResponseOutputMessageParam",
    "ResponseFunctionToolCallParam",
    "FunctionCallOutput",
    "ToolSearchCall",
    "ResponseToolSearchOutputItemParamParam",
    "AdditionalTools",
    "ResponseConfigurationUpdateItemParamParam",
    "ResponseReasoningItemParam",
    "ResponseCompactionItemParamParam",
    "ResponseCustomToolCallOutputParam",
    "ResponseCustomToolCallParam",
]

RESPONSES = Dialect(
    responses.to_messages,
    RESPONSES_IGNORED,
    Fields(
        samples={
            "model": ["opus", "haiku"],
            "ResponseFunctionToolCallParam.arguments": ["{}", '{"a": 1}'],
            "user_location": [{"type": "approximate", "city": "Berlin"}],
            "encrypted_content": [SEALER.seal(THOUGHT), SEALER.seal({**THOUGHT, "signature": "b"})],
            "ResponseCompactionItemParamParam.encrypted_content": [
                SEALER.seal({"type": "text", "text": text}) for text in ("so far", "and on")
            ],
            "file_data": ["data:text/plain;base64,aGk=", "data:text/plain;base64,aGkx"],
            "file_url": ["https://example.com/a.pdf"],
            "image_url": [f"data:image/png;base64,{PIXEL}", f"data:image/png;base64,{PIXEL}AAAA"],
            "include": [["message.output_text.logprobs"]],
            "parallel_tool_calls": [False],
            "parameters": [SCHEMA, {**SCHEMA, "required": []}],
            "reasoning": [{"effort": "high"}],
            "ResponseCreateParamsNonStreaming.text": [{"format": {"type": "json_object"}}],
            "ResponseConfigurationUpdateItemParamParam.text": [{"format": {"type": "json_object"}}],
            "schema": [SCHEMA, {**SCHEMA, "required": []}],
            "stream": [True],
            "ToolChoiceAllowedParam.tools": [[{"type": "function", "name": "x"}], []],
            "ResponseCreateParamsNonStreaming.tool_choice": ["none"],
            "top_p": [0.5],
            "truncation": ["auto"],
            "verbosity": ["low"],
        },
        instances={
            "FunctionCallOutput": {"type": "function_call_output", "call_id": "x", "output": "r"},
            "ToolSearchCall": {"type": "tool_search_call", "call_id": "x", "arguments": {}},
            "ToolSearchToolParam": {"type": "tool_search", "execution": "client"},
            "ResponseInputFileParam": {"type": "input_file", "file_data": "data:text/plain;base64,aGk="},
            "ResponseInputFileContentParam": {"type": "input_file", "file_data": "data:text/plain;base64,aGk="},
        },
        containers={name: responses_input for name in ITEM_TYPES},
    ),
    minimal={"model": "opus", "input": [HELLO], "tools": [{"type": "function", "name": "x"}]},
    elsewhere=frozenset(
        {"conversation", "conversation.id", "previous_response_id", "store", "background", "input.type"}
    ),
    effect=lambda encoder: (encoder._head.tools, encoder._head.compaction),
)

ROOTS = [
    pytest.param(COMPLETIONS, legacy_create_params.CompletionCreateParamsNonStreaming, id="completions"),
    pytest.param(CHAT, completion_create_params.CompletionCreateParamsNonStreaming, id="chat"),
    pytest.param(MESSAGES, message_create_params.MessageCreateParamsNonStreaming, id="messages"),
    pytest.param(MESSAGES, beta_create_params.MessageCreateParamsNonStreaming, id="messages-beta"),
    pytest.param(RESPONSES, response_create_params.ResponseCreateParamsNonStreaming, id="responses"),
]


def outcome(dialect: Dialect, body: dict[str, Any]) -> tuple[Any, list[str], str]:
    """The outcome of a body: request and encoder, warnings, or the refusal."""
    try:
        call = dialect.to_messages(body, CONTEXT)
    except InvalidRequest as refusal:
        return None, [], f"{refusal.param} {refusal.message} {refusal.hint}"
    return (call.request, call.stream, call.n, dialect.effect(call.encoder)), call.warnings, ""


def explain_silence(dialect: Dialect, case: FieldCase) -> str:
    """The reason why a field has no visible effect; empty if it has one."""
    steps = case.path.split(".")
    paths, name = {".".join(steps[: at + 1]) for at in range(len(steps))}, steps[-1]
    if case.path in dialect.headers | dialect.elsewhere or {*steps, *paths} & dialect.ignored.keys():
        return ""
    asked, warnings, refused = outcome(dialect, case.without)
    if any(path in warning.split() for path in paths for warning in warnings):
        return ""  # The object around it is named as a whole.
    problems = []
    for body in case.bodies:
        also_asked, also_warned, also_refused = outcome(dialect, body)
        if set(also_warned) - set(warnings) or (not also_refused and also_asked != asked):
            return ""
        if also_refused and (any(why in also_refused for why in REFUSED) or (not refused and name in also_refused)):
            return ""
        problems.append(also_refused or "no effect")
    return f"{case.path}: {'; '.join(sorted(set(problems)))[:200]}"


@pytest.mark.parametrize(("dialect", "root"), ROOTS)
def test_nothing_is_silent(dialect: Dialect, root: Any) -> None:
    cases = dialect.fields.cases(root, lambda value: {**dialect.minimal, **value})
    assert len(cases) > (15 if dialect is COMPLETIONS else 100)
    assert sorted({why for case in cases if (why := explain_silence(dialect, case))}) == []


@pytest.mark.parametrize("name", sorted(MESSAGES.headers))
def test_headers_of_the_sdk_are_passed_on(name: str) -> None:
    header = "anthropic-beta" if name == "betas" else f"anthropic-{name.replace('_', '-')}"
    context = replace(CONTEXT, header={header: "skills-2025-10-02"}.get)
    call = messages.to_messages(MESSAGES.minimal, context)
    passed = call.request.betas[0] if name == "betas" else call.request.native[name]
    assert (passed, call.warnings) == ("skills-2025-10-02", [])


def test_the_readme_lists_ignored_fields() -> None:
    listed = {(row[1], row[0].strip("`")): row[2] for row in table("<!-- passed over -->")}
    expected = {("Chat Completions", name): why for name, why in CHAT.ignored.items()}
    expected |= {("Completions", name): why for name, why in COMPLETIONS.ignored.items()}
    expected |= {("Messages", name): why for name, why in MESSAGES.ignored.items()}
    expected |= {("Responses", name): why for name, why in RESPONSES.ignored.items()}
    expected |= {("`anthropic-beta`", name): why for name, why in IN_EFFECT.items()}
    assert listed == expected
