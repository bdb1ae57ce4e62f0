"""Fit effort and thinking to a model's controls."""

from server.core.messages import EFFORTS, Effort, MessagesRequest, Thinking
from server.models.table import Capabilities

MIN_BUDGET = 1024
"""The smallest thinking budget that the API takes, in tokens; it must also be below `max_tokens`."""

_BUDGETS: dict[Effort, int] = {"low": 4096, "medium": 10_000, "high": 24_000, "xhigh": 24_000, "max": 24_000}
"""The budget in tokens for each effort, on models without effort."""


def asks_for_thinking(request: MessagesRequest) -> bool:
    """Whether the client asks for thinking; if not, other parameters take precedence."""
    if request.thinking is not None:
        return request.thinking["type"] != "disabled"
    return request.effort is not None


def without_thinking(request: MessagesRequest) -> MessagesRequest:
    """Return the request with thinking switched off."""
    off: Thinking = {"type": "disabled"}
    return request.with_changes(thinking=off)


def fit_effort(request: MessagesRequest, caps: Capabilities, warnings: list[str]) -> MessagesRequest:
    """Lower the effort to a level of the model, or use a thinking budget."""
    if request.effort is None or request.effort in caps.efforts:
        return request
    if not caps.efforts:
        return _effort_as_budget(request, request.effort, caps, warnings)
    lower = [effort for effort in caps.efforts if EFFORTS.index(effort) < EFFORTS.index(request.effort)]
    effort = lower[-1] if lower else caps.efforts[0]
    warnings.append(f"effort '{request.effort}' is not known to {caps.model}; '{effort}' was used instead")
    return request.with_changes(effort=effort)


def fit_thinking(request: MessagesRequest, caps: Capabilities, warnings: list[str]) -> MessagesRequest:
    """Fit thinking. Must run after the steps for effort and `max_tokens`.

    On models with a budget, thinking is off unless the client asks for it, as with the API itself: Claude Code's own
    default, a budget of 31,999 tokens, does not fit a small `max_tokens`.
    """
    if request.thinking is None and request.effort is None and request.avoid_thinking:
        return _with_least_thinking(request, caps)
    if request.thinking is None:
        return _thinking_by_effort(request, caps, warnings) if caps.thinking_budget else request
    if request.thinking["type"] == "disabled":
        return _fit_thinking_off(request, caps, warnings)
    if caps.thinking_budget:
        return _fit_budget(request, request.thinking, caps, warnings)
    if request.thinking["type"] == "adaptive":
        return request
    warnings.append(f"thinking.budget_tokens is not taken by {caps.model}, which decides itself how much to think")
    adaptive = Thinking(type="adaptive")
    if "display" in request.thinking:
        adaptive["display"] = request.thinking["display"]
    return request.with_changes(thinking=adaptive)


def _with_least_thinking(request: MessagesRequest, caps: Capabilities) -> MessagesRequest:
    """Without a warning, since the client did not ask for it."""
    if caps.thinking_off:
        return without_thinking(request)
    return request.with_changes(effort=caps.efforts[0]) if caps.efforts else request


def _effort_as_budget(
    request: MessagesRequest, effort: Effort, caps: Capabilities, warnings: list[str]
) -> MessagesRequest:
    if request.thinking is not None or not caps.thinking_budget:
        warnings.append(f"effort is not taken by {caps.model} and was left out")
        return request.with_changes(effort=None)
    budget = _BUDGETS[effort]
    warnings.append(f"effort is not taken by {caps.model}; a thinking budget of {budget} tokens is used instead")
    return request.with_changes(effort=None, thinking=Thinking(type="enabled", budget_tokens=budget))


def _thinking_by_effort(request: MessagesRequest, caps: Capabilities, warnings: list[str]) -> MessagesRequest:
    if request.effort is None:
        return without_thinking(request)
    thinking = Thinking(type="enabled", budget_tokens=_BUDGETS[request.effort])
    return _fit_budget(request, thinking, caps, warnings)


def _fit_thinking_off(request: MessagesRequest, caps: Capabilities, warnings: list[str]) -> MessagesRequest:
    if not caps.thinking_off:
        lowest = caps.efforts[0] if caps.efforts else None
        effort = request.effort or lowest
        warnings.append(f"thinking cannot be switched off on {caps.model}; it thinks with {effort} effort instead")
        return request.with_changes(thinking=None, effort=effort)
    if request.effort is None or request.effort in caps.thinking_off_efforts:
        return request
    effort = caps.thinking_off_efforts[-1]
    warnings.append(
        f"effort '{request.effort}' is not taken by {caps.model} without thinking; '{effort}' was used instead"
    )
    return request.with_changes(effort=effort)


def _fit_budget(
    request: MessagesRequest, thinking: Thinking, caps: Capabilities, warnings: list[str]
) -> MessagesRequest:
    wanted = thinking.get("budget_tokens", _BUDGETS["medium"])
    if request.max_tokens is not None and request.max_tokens <= MIN_BUDGET:
        warnings.append(f"thinking needs max_tokens of more than {MIN_BUDGET} on {caps.model} and was switched off")
        return without_thinking(request)
    if not _has_returned_thinking(request):
        warnings.append(f"{caps.model} cannot continue thinking after a tool call whose thinking the client left out")
        return without_thinking(request)
    budget, limit = max(wanted, MIN_BUDGET), request.max_tokens or caps.default_max_tokens
    if budget >= limit:
        # Half for the thinking, so that there is room for the answer.
        budget = max(limit // 2, MIN_BUDGET)
    if thinking["type"] == "adaptive":
        warnings.append(f"adaptive thinking is not known to {caps.model}; it thinks with {budget} tokens instead")
    elif budget != wanted:
        warnings.append(f"a thinking budget of {wanted} tokens does not fit max_tokens and became {budget}")
    return request.with_changes(thinking=Thinking(type="enabled", budget_tokens=budget))


def _has_returned_thinking(request: MessagesRequest) -> bool:
    """Whether the latest tool calls came with thinking, as the API requires.

    Source: https://docs.anthropic.com/en/docs/build-with-claude/extended-thinking, "Extended thinking with tool use".
    """
    if not any(block.get("type") == "tool_result" for block in request.messages[-1]["content"]):
        return True
    answers = [message for message in request.messages if message["role"] == "assistant"]
    first = answers[-1]["content"][0] if answers and answers[-1]["content"] else {}
    return first.get("type") in ("thinking", "redacted_thinking")
