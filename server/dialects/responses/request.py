"""A response request's body as a `Call`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from server.core.messages import MessagesRequest, Tool, ToolChoice
from server.dialects.base import Call, Context
from server.dialects.left_out import dropped_fields, left_out_warnings
from server.dialects.openai.parameters import unsupported_warnings
from server.dialects.openai.web_search import TOOL_NAME
from server.dialects.responses.body import InputBody, check_input_body, check_responses_body
from server.dialects.responses.choices import choose_tools
from server.dialects.responses.compaction import as_summary_request, asks_for_summary
from server.dialects.responses.configuration import read_configuration
from server.dialects.responses.echo import make_echo
from server.dialects.responses.encoder import ResponseEncoder
from server.dialects.responses.head import ResponseHead
from server.dialects.responses.ignored_fields import DEFAULTS, IGNORED
from server.dialects.responses.items import Item
from server.dialects.responses.parameters import UNSUPPORTED, read_limits
from server.dialects.responses.sealing import Sealer
from server.dialects.responses.tools import ToolCatalog
from server.dialects.responses.turns import read_items
from server.models.aliases import resolve_model


@dataclass(frozen=True, slots=True)
class _Prompt:
    """The part that also counts as input tokens. `compaction`: the request is for a summary."""

    request: MessagesRequest
    catalog: ToolCatalog
    sealer: Sealer | None
    compaction: bool


def to_messages(body: Any, context: Context) -> Call:
    """Translate a request body whose `input` is complete. Raises `InvalidRequest` or `ModelNotFound`."""
    checked = check_responses_body(body)
    warnings: list[str] = []
    prompt = _read_prompt(checked, context, warnings)
    request = prompt.request.with_changes(**read_limits(checked, warnings))
    head = ResponseHead(
        response_id=f"resp_{context.response_id}",
        created_at=context.created,
        model=request.requested_model,
        echo=make_echo(body, checked),
        tools=prompt.catalog.clients,
        seal=prompt.sealer.seal if prompt.sealer is not None else None,
        originator=context.header("originator") or "",
        compaction=prompt.compaction,
        sources="web_search_call.action.sources" in (checked.get("include") or ()),
    )
    return Call(
        request=request,
        stream=bool(checked.get("stream")),
        encoder=ResponseEncoder(head),
        warnings=[*warnings, *_body_warnings(body, checked)],
    )


def to_count(body: Any, context: Context) -> MessagesRequest:
    """Translate a body of `input_tokens`. Raises as `to_messages` does."""
    return _read_prompt(check_input_body(body), context, []).request


def _read_prompt(body: InputBody, context: Context, warnings: list[str]) -> _Prompt:
    name = body.get("model") or context.default_model
    named = resolve_model(name, context)
    catalog, items = ToolCatalog(), _read_input(body)
    sealer = Sealer(context.sealing_key) if context.sealing_key else None
    catalog.add_sent(body.get("tools") or ())
    system, messages = read_items(items, body.get("instructions"), catalog, sealer, warnings)
    tools, choice = choose_tools(body.get("tool_choice"), body.get("parallel_tool_calls"), catalog, warnings)
    warnings.extend(catalog.left_out_warnings())
    updates = [item for item in items if item["type"] == "configuration_update"]
    request = MessagesRequest(
        model=named.model,
        requested_model=name or named.model,
        messages=messages,
        system=system,
        tools=tools,
        tool_choice=choice,
        session_id=body.get("session_id"),
        optional_tools=_optional_tools(tools, choice),
        hides_server_blocks=True,
        **read_configuration([body, *updates]),
    )
    request, compaction = named.apply_to(request), asks_for_summary(items)
    return _Prompt(as_summary_request(request) if compaction else request, catalog, sealer, compaction)


def _optional_tools(tools: Sequence[Tool], choice: ToolChoice | None) -> frozenset[str]:
    """The search of the web, which Codex sends with every request, unless the request is for nothing else."""
    is_forced = choice is not None and choice.get("name") == TOOL_NAME
    return frozenset() if is_forced or len(tools) < 2 else frozenset({TOOL_NAME})


def _read_input(body: InputBody) -> list[Item]:
    given = body.get("input") or []
    return [{"type": "message", "role": "user", "content": given}] if isinstance(given, str) else given


def _body_warnings(sent: Mapping[str, Any], checked: Mapping[str, Any]) -> list[str]:
    supported = {name: value for name, value in sent.items() if name not in UNSUPPORTED}
    dropped = dropped_fields(supported, checked, IGNORED, DEFAULTS)
    return [*unsupported_warnings(sent, UNSUPPORTED), *left_out_warnings(dropped)]
