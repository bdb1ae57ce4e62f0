"""Refusals of the real API, model by model: a pure function from request body to refusal or None.

From the API's reference, Anthropic's migration guides and the errors that the API is seen to give
(https://docs.anthropic.com/en/api/messages). This file has the fields and parameters; what the API refuses of
messages, tools and schemas stands in refused_messages.py, refused_tools.py and refused_schemas.py.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from tests.simulator.models import MODELS, Model
from tests.simulator.refused_messages import message_faults
from tests.simulator.refused_schemas import schema_faults
from tests.simulator.refused_tools import tool_faults

Body = Mapping[str, Any]

FIELDS = frozenset(
    {
        "cache_control",
        "container",
        "context_management",
        "diagnostics",
        "inference_geo",
        "max_tokens",
        "mcp_servers",
        "messages",
        "metadata",
        "model",
        "output_config",
        "service_tier",
        "speed",
        "stop_sequences",
        "stream",
        "system",
        "temperature",
        "thinking",
        "tool_choice",
        "tools",
        "top_k",
        "top_p",
        "user_profile_id",
    }
)
MAX_CACHE_MARKERS = 4
MIN_BUDGET = 1024


@dataclass(frozen=True)
class Refusal:
    """The API's answer to a request it does not take."""

    message: str
    status: int = 400
    type: str = "invalid_request_error"


def refusal(body: Body) -> Refusal | None:
    """Why the API refuses this body (the first reason, where there are several), or None."""
    fault = next(_field_faults(body), None)
    if fault is not None:
        return Refusal(fault)
    model = MODELS.get(body["model"])
    if model is None:
        return Refusal(f"model: {body['model']}", 404, "not_found_error")
    try:
        return next((Refusal(fault) for check in CHECKS for fault in check(body, model)), None)
    except (AttributeError, KeyError, TypeError) as error:
        # Values of quite another type than the API's: it names the place, the checks just stumble over it.
        return Refusal(f"Input should be valid: {error}")


def _field_faults(body: Body) -> Iterator[str]:
    for required in ("model", "max_tokens", "messages"):
        if required not in body:
            yield f"{required}: Field required"
    for name in body:
        if name not in FIELDS:
            yield f"{name}: Extra inputs are not permitted"
    if not isinstance(body.get("model"), str):
        yield "model: Input should be a valid string"
    if not isinstance(body.get("messages"), list):
        yield "messages: Input should be a valid array"
    if not isinstance(body.get("max_tokens"), int) or isinstance(body.get("max_tokens"), bool):
        yield "max_tokens: Input should be a valid integer"


def _max_tokens(body: Body, model: Model) -> Iterator[str]:
    wanted = body["max_tokens"]
    if wanted < 1:
        yield "max_tokens: Input should be greater than or equal to 1"
    if wanted > model.max_tokens:
        yield (
            f"max_tokens: {wanted} > {model.max_tokens}, "
            f"which is the maximum allowed number of output tokens for {model.id}"
        )


def _ranges(body: Body, model: Model) -> Iterator[str]:
    for name in ("temperature", "top_p"):
        value = body.get(name)
        if value is None:
            continue
        if not isinstance(value, int | float):
            yield f"{name}: Input should be a valid number"
        elif value < 0:
            yield f"{name}: Input should be greater than or equal to 0"
        elif value > 1:
            yield f"{name}: Input should be less than or equal to 1"
    if body.get("top_k") is not None and body["top_k"] < 0:
        yield "top_k: Input should be greater than or equal to 0"
    if any(not sequence.strip() for sequence in body.get("stop_sequences") or []):
        yield "stop_sequences: each stop sequence must contain non-whitespace"


def _sampling(body: Body, model: Model) -> Iterator[str]:
    given = [name for name in ("temperature", "top_p", "top_k") if body.get(name) is not None]
    if model.refuses_sampling:
        yield from (f"`{name}` is deprecated for this model." for name in given)
    elif "temperature" in given and "top_p" in given:
        yield "`temperature` and `top_p` cannot both be specified for this model. Please use only one."
    elif thinks(body):
        yield from _sampling_with_thinking(body, given)


def _sampling_with_thinking(body: Body, given: list[str]) -> Iterator[str]:
    if "temperature" in given and body["temperature"] != 1:
        yield "`temperature` may only be set to 1 when thinking is enabled."
    if "top_p" in given and body["top_p"] < 0.95:
        yield "`top_p` must be greater than or equal to 0.95 or unset when thinking is enabled."
    if "top_k" in given:
        yield "`top_k` must be unset when thinking is enabled."


def thinks(body: Body) -> bool:
    """Whether the request switches thinking on."""
    return (body.get("thinking") or {}).get("type") in ("enabled", "adaptive")


def _thinking(body: Body, model: Model) -> Iterator[str]:
    thinking = body.get("thinking")
    if thinking is None:
        return
    match thinking.get("type"):
        case "enabled":
            yield from _budget(body, thinking, model)
        case "adaptive":
            if model.version <= (4, 5):
                yield "adaptive thinking is not supported on this model"
        case "disabled":
            yield from _thinking_off(body, model)
        case "between_tools":
            if not model.takes_between_tools:
                yield '"thinking.type.between_tools" is not supported for this model.'
        case other:
            yield (
                f"thinking: Input tag '{other}' found using 'type' does not match any of the expected tags: "
                "'adaptive', 'between_tools', 'disabled', 'enabled'"
            )


def _budget(body: Body, thinking: Body, model: Model) -> Iterator[str]:
    budget = thinking.get("budget_tokens")
    if not model.takes_budget:
        yield (
            '"thinking.type.enabled" is not supported for this model. Use "thinking.type.adaptive" and '
            '"output_config.effort" to control thinking behavior.'
        )
    elif budget is None:
        yield "thinking.enabled.budget_tokens: Field required"
    elif budget < MIN_BUDGET:
        yield f"thinking.enabled.budget_tokens: Input should be greater than or equal to {MIN_BUDGET}"
    elif budget >= body["max_tokens"]:
        yield "`max_tokens` must be greater than `thinking.budget_tokens`."


def _thinking_off(body: Body, model: Model) -> Iterator[str]:
    effort = (body.get("output_config") or {}).get("effort")
    if model.refuses_thinking_off:
        yield '"thinking.type.disabled" is not supported for this model.'
    elif model.id == "claude-opus-5" and effort in ("xhigh", "max"):
        yield f'"thinking.type.disabled" is not supported for this model with effort "{effort}".'


def _forced_tool(body: Body, model: Model) -> Iterator[str]:
    if (body.get("tool_choice") or {}).get("type") not in ("any", "tool"):
        return
    if model.refuses_forced_tool:
        yield "tool_choice: forcing tool use is not supported for this model. Use `auto` or `none`."
    elif model.takes_budget and thinks(body):
        yield "Thinking may not be enabled when tool_choice forces tool use."


def _effort(body: Body, model: Model) -> Iterator[str]:
    effort = (body.get("output_config") or {}).get("effort")
    if effort is None:
        return
    if effort not in ("low", "medium", "high", "xhigh", "max"):
        yield "output_config.effort: Input should be 'low', 'medium', 'high', 'xhigh' or 'max'"
    elif model.version <= (4, 5) and "-opus-" not in model.id:
        yield "This model does not support the effort parameter."


def _context_edits(body: Body, model: Model) -> Iterator[str]:
    edits = (body.get("context_management") or {}).get("edits") or []
    off = (body.get("thinking") or {}).get("type") == "disabled"
    if off and any(edit.get("type") == "clear_thinking_20251015" for edit in edits):
        yield "clear_thinking_20251015 strategy requires thinking to be enabled or adaptive"


def _cache_markers(body: Body, model: Model) -> Iterator[str]:
    # A mark on the request itself, which the API then places, takes one of the four.
    marked = (body.get("cache_control") is not None) + sum(
        _markers(body.get(name)) for name in ("system", "messages", "tools")
    )
    if marked > MAX_CACHE_MARKERS:
        yield f"A maximum of {MAX_CACHE_MARKERS} blocks with cache_control may be provided. Found {marked}."


def _markers(value: Any) -> int:
    """Markers on blocks and what they hold; not those in a tool's input or schema, the client's own data."""
    if isinstance(value, list):
        return sum(_markers(item) for item in value)
    if not isinstance(value, dict):
        return 0
    return (value.get("cache_control") is not None) + _markers(value.get("content"))


def _prefill(body: Body, model: Model) -> Iterator[str]:
    turns = [message for message in body["messages"] if message.get("role") != "system"]
    if not turns or turns[-1].get("role") != "assistant" or _is_paused(turns[-1]):
        return
    if model.refuses_prefill:
        yield ("This model does not support assistant message prefill. The conversation must end with a user message.")
    elif thinks(body):
        yield (
            f"messages.{len(turns) - 1}.content.0.type: Expected `thinking` or `redacted_thinking`, "
            "but found `text`. When `thinking` is enabled, a final `assistant` message must start "
            "with a thinking block."
        )


def _is_paused(turn: Body) -> bool:
    """Whether it is an answer that ended with `pause_turn`, which every model continues."""
    blocks = turn["content"] if isinstance(turn["content"], list) else []
    return any(block.get("type") == "server_tool_use" for block in blocks)


def _schema(body: Body, model: Model) -> Iterator[str]:
    format_ = (body.get("output_config") or {}).get("format")
    if format_ is None:
        return
    if format_.get("type") != "json_schema":
        yield "output_config.format.type: Input should be 'json_schema'"
    elif not isinstance(format_.get("schema"), dict):
        yield "output_config.format.schema: Field required"
    else:
        yield from (f"output_config.format.schema: {fault}" for fault in schema_faults(format_["schema"]))


def _messages(body: Body, model: Model) -> Iterator[str]:
    return message_faults(body["messages"], body.get("system"))


def _tools(body: Body, model: Model) -> Iterator[str]:
    return tool_faults(body.get("tools") or [], body.get("tool_choice"))


CHECKS: tuple[Callable[[Body, Model], Iterator[str]], ...] = (
    _messages,
    _tools,
    _max_tokens,
    _ranges,
    _thinking,
    _sampling,
    _forced_tool,
    _effort,
    _context_edits,
    _cache_markers,
    _prefill,
    _schema,
)
