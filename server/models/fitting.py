"""Fit a request to a model: one step for each parameter that some models refuse."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from server.core.errors import InvalidRequest
from server.core.messages import MessagesRequest, Tool, ToolChoice
from server.models.output_format import fit_output_format
from server.models.past_answers import fit_past_answers
from server.models.prefill import Prefill, check_last_turn, fit_prefill
from server.models.table import Capabilities
from server.models.thinking import (
    asks_for_thinking,
    fit_effort,
    fit_thinking,
    without_thinking,
)
from server.models.tool_names import NO_NAMES, ToolNames
from server.models.tools import fit_tools

_MAX_STOP_SEQUENCES = 16
"""A cautious limit for one request: the API documents none, and editors send lists of a dozen."""

_CLEAR_THINKING = "clear_thinking_20251015"
_Step = Callable[[MessagesRequest, Capabilities, list[str]], MessagesRequest]


@dataclass(frozen=True, slots=True)
class FittedRequest:
    """A request as the model takes it.

    `warnings` are texts, one for each parameter that was dropped or emulated. `prefill` is how the given start of the
    answer is served: `none` (there is none), `native` (the last message is the assistant's) or `emulated` (by an
    instruction). `names` are the replaced tool names, which must be restored in the answer. `watched_stops` are the
    stop sequences that the API does not take: the answer's text must be cut at them.
    """

    request: MessagesRequest
    warnings: list[str]
    prefill: Prefill = "none"
    names: ToolNames = NO_NAMES
    watched_stops: tuple[str, ...] = ()


def fit_request(request: MessagesRequest, caps: Capabilities) -> FittedRequest:
    """Drop or emulate everything that the model refuses. Idempotent.

    Raises `InvalidRequest` for what no model takes: no messages, a tool with an invalid schema, a forced tool that is
    not defined, an unanswered tool call at the end.
    """
    check_last_turn(request.messages)
    warnings: list[str] = []
    request, names = fit_tools(request, warnings)
    request, watched_stops = _split_stop_sequences(request)
    for step in _STEPS:
        request = step(request, caps, warnings)
    request, prefill = fit_prefill(request, caps, warnings)
    return FittedRequest(request, warnings, prefill, names, watched_stops)


def _fit_max_tokens(request: MessagesRequest, caps: Capabilities, warnings: list[str]) -> MessagesRequest:
    if request.max_tokens is None or caps.max_tokens is None or request.max_tokens <= caps.max_tokens:
        return request
    warnings.append(
        f"max_tokens of {request.max_tokens} is more than {caps.model} can write and became {caps.max_tokens}"
    )
    return request.with_changes(max_tokens=caps.max_tokens)


def _split_stop_sequences(request: MessagesRequest) -> tuple[MessagesRequest, tuple[str, ...]]:
    """The request with the stop sequences that the API takes, and the others: of white space alone, or too many."""
    taken = tuple(stop for stop in request.stop_sequences if stop.strip())[:_MAX_STOP_SEQUENCES]
    if len(taken) == len(request.stop_sequences):
        return request, ()
    others = tuple(stop for stop in request.stop_sequences if stop and stop not in taken)
    return request.with_changes(stop_sequences=taken), others


def _fit_tool_choice(request: MessagesRequest, caps: Capabilities, warnings: list[str]) -> MessagesRequest:
    choice = request.tool_choice
    if choice is None or choice["type"] not in ("any", "tool"):
        return request
    tools = _tools_of_choice(request.tools, choice)
    if caps.forced_tool and (caps.forced_tool_thinking or _thinking_is_off(request)):
        return request
    if caps.forced_tool and not asks_for_thinking(request):
        return without_thinking(request)
    warnings.append(f"tool_choice '{choice['type']}' is not taken by {caps.model} and was emulated by an instruction")
    return _with_instructed_choice(request, choice, tools)


def _tools_of_choice(tools: Sequence[Tool], choice: ToolChoice) -> Sequence[Tool]:
    if choice["type"] == "tool":
        tools = [tool for tool in tools if tool.get("name") == choice.get("name")]
    if not tools:
        name = choice.get("name", "")
        what = f"Tool '{name}' not found in provided tools" if name else "it may only be specified with tools"
        raise InvalidRequest(f"tool_choice: {what}.", param="tool_choice")
    return tools


def _with_instructed_choice(request: MessagesRequest, choice: ToolChoice, tools: Sequence[Tool]) -> MessagesRequest:
    named = choice["type"] == "tool"
    instruction = f"Answer by calling the tool {tools[0]['name']}." if named else "Answer by calling one of the tools."
    auto: ToolChoice = {"type": "auto"}
    if "disable_parallel_tool_use" in choice:
        auto["disable_parallel_tool_use"] = choice["disable_parallel_tool_use"]
    return request.with_changes(system=(*request.system, instruction), tools=tools, tool_choice=auto)


def _fit_sampling(request: MessagesRequest, caps: Capabilities, warnings: list[str]) -> MessagesRequest:
    taken = caps.sampling and not asks_for_thinking(request)
    request = _drop_default_sampling(_clamp_temperature(request, warnings) if taken else request)
    given = [name for name in ("temperature", "top_p", "top_k") if getattr(request, name) is not None]
    if not given:
        return request
    if not taken:
        why = " while it thinks" if caps.sampling else ""
        warnings.extend(f"{name} is not taken by {caps.model}{why} and was left out" for name in given)
        return request.with_changes(temperature=None, top_p=None, top_k=None)
    return without_thinking(_drop_top_p(request, caps, warnings))


def _clamp_temperature(request: MessagesRequest, warnings: list[str]) -> MessagesRequest:
    """Clamp the temperature to Claude's range, 0 to 1; OpenAI's goes up to 2."""
    if request.temperature is None or 0 <= request.temperature <= 1:
        return request
    clamped = 0.0 if request.temperature < 0 else 1.0
    warnings.append(f"temperature of {request.temperature:g} is outside of 0 to 1 and became {clamped:g}")
    return request.with_changes(temperature=clamped)


def _drop_default_sampling(request: MessagesRequest) -> MessagesRequest:
    """Drop a temperature or top_p of 1, the default that many clients send."""
    return request.with_changes(
        temperature=None if request.temperature == 1 else request.temperature,
        top_p=None if request.top_p == 1 else request.top_p,
    )


def _drop_top_p(request: MessagesRequest, caps: Capabilities, warnings: list[str]) -> MessagesRequest:
    if request.temperature is None or request.top_p is None:
        return request
    warnings.append(f"top_p is not taken by {caps.model} together with temperature and was left out")
    return request.with_changes(top_p=None)


def _fit_context_edits(request: MessagesRequest, caps: Capabilities, warnings: list[str]) -> MessagesRequest:
    """Drop the edit of old thinking where thinking is off: the API refuses it there."""
    management = request.native.get("context_management") or {}
    edits = management.get("edits") if _thinking_is_off(request) else None
    edits = edits if isinstance(edits, list) else []
    kept = [edit for edit in edits if not (isinstance(edit, dict) and edit.get("type") == _CLEAR_THINKING)]
    if len(kept) == len(edits):
        return request
    warnings.append("context_management: clear_thinking is not taken without thinking and was left out")
    return request.with_changes(native={**request.native, "context_management": {**management, "edits": kept}})


def _thinking_is_off(request: MessagesRequest) -> bool:
    return request.thinking is not None and request.thinking.get("type") == "disabled"


_STEPS: tuple[_Step, ...] = (
    fit_past_answers,
    _fit_max_tokens,
    fit_output_format,
    fit_effort,
    fit_thinking,
    _fit_tool_choice,
    _fit_sampling,
    _fit_context_edits,
)
