"""`GET /v1/models`: models and aliases, readable by clients of all dialects."""

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from server.api.exchange.preparation import make_context
from server.api.exchange.responses import json_response
from server.core.errors import InvalidRequest, ModelNotFound
from server.models import capabilities_of
from server.models.aliases import COMMON_NAMES, DEFAULT_ALIASES, ModelNames, NamedModel, resolve_model
from server.models.info import ModelInfo, find_info
from server.models.model_object import describe_capabilities, line_of
from server.models.windows import window_of

if TYPE_CHECKING:
    from server.api.services import Services

router = APIRouter()

_DATE = re.compile(r"-(\d{4})(\d{2})(\d{2})$")
_UNKNOWN_DATE = datetime.fromtimestamp(0, UTC)
"""The epoch, as in Anthropic's API, for an unknown release date."""
_MAX_PAGE_SIZE = 1000
"""Anthropic's own limit."""


@router.api_route("/v1/models", methods=["GET", "HEAD"])
async def list_models(
    request: Request,
    limit: Annotated[int | None, Query(ge=1, le=_MAX_PAGE_SIZE)] = None,
    after_id: str | None = None,
    before_id: str | None = None,
) -> Response:
    """All models, or a page as Anthropic's clients request it.

    See https://docs.anthropic.com/en/api/models-list. Raises InvalidRequest for an id that is not in the list.
    """
    models, has_more = _select_page(list_model_entries(request.app.state.services), limit, after_id, before_id)
    return json_response(
        {
            "object": "list",
            "data": models,
            "has_more": has_more,
            "first_id": models[0]["id"] if models else None,
            "last_id": models[-1]["id"] if models else None,
        }
    )


@router.api_route("/v1/models/{model_id:path}", methods=["GET", "HEAD"])
async def get_model(request: Request, model_id: str) -> Response:
    """One model, by any name that requests may use. Raises ModelNotFound."""
    services = request.app.state.services
    return json_response(_model_entry(services, model_id, resolve_model(model_id, make_context(services))))


def list_model_entries(services: "Services") -> list[dict[str, Any]]:
    """Entries for ids, short names, the user's aliases and built-in ones."""
    offered = services.backend.models()
    names = [model.id for model in offered] + [model.name for model in offered if model.name]
    names += [*services.settings.aliases, *COMMON_NAMES, *DEFAULT_ALIASES]
    context = make_context(services)
    targets = ((name, _try_resolve(name, context)) for name in dict.fromkeys(names))
    return [_model_entry(services, name, target) for name, target in targets if target is not None]


def _select_page(
    models: list[dict[str, Any]], limit: int | None, after_id: str | None, before_id: str | None
) -> tuple[list[dict[str, Any]], bool]:
    """The page of models next to an id, and whether more follow in that direction."""
    if after_id is not None and before_id is not None:
        raise InvalidRequest("after_id and before_id exclude each other.", param="before_id")
    ids = [model["id"] for model in models]
    if before_id is not None:
        before = models[: _model_index(ids, before_id, "before_id")]
        start = 0 if limit is None else max(0, len(before) - limit)
        return before[start:], start > 0
    after = models if after_id is None else models[_model_index(ids, after_id, "after_id") + 1 :]
    return after[:limit], limit is not None and limit < len(after)


def _model_index(ids: list[str], model_id: str, param: str) -> int:
    if model_id not in ids:
        raise InvalidRequest(f"{param}: there is no model {model_id!r} in the list.", param=param)
    return ids.index(model_id)


def _try_resolve(name: str, known: ModelNames) -> NamedModel | None:
    """The models for a name; None if its alias leads to no model."""
    try:
        return resolve_model(name, known)
    except ModelNotFound:
        return None


def _model_entry(services: "Services", name: str, named: NamedModel) -> dict[str, Any]:
    """A model as both APIs show it, with the limits under the names that clients of either know."""
    offered = services.backend.models()
    infos = [find_info(choice.model, offered) for choice in named.choices]
    full_id = _full_id(named.model, infos[0])
    date, window = _release_date(full_id), window_of(named, offered)
    return {
        "id": name,
        "object": "model",
        "created": int(date.timestamp()),
        "owned_by": "anthropic",
        "type": "model",
        "lifecycle": "active",
        "display_name": _display_name(name, named, infos),
        "created_at": date.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "line": line_of(full_id),
        "max_input_tokens": window.context,
        "max_tokens": window.output,
        "context_window": window.context,
        "context_length": window.context,
        "max_output_tokens": window.output,
        "capabilities": describe_capabilities(capabilities_of(named.model, infos[0])),
    }


def _display_name(name: str, named: NamedModel, infos: list[ModelInfo | None]) -> str:
    ids = [_full_id(choice.model, info) for choice, info in zip(named.choices, infos, strict=True)]
    shown = [(info.display_name if info else "") or full_id for info, full_id in zip(infos, ids, strict=True)]
    if len(ids) == 1 and name in (ids[0], named.model):
        return shown[0]
    return f"{name} ({' > '.join(shown)})"


def _full_id(model: str, info: ModelInfo | None) -> str:
    return info.id if info is not None and info.id else model


def _release_date(model_id: str) -> datetime:
    found = _DATE.search(model_id)
    if found is None:
        return _UNKNOWN_DATE
    try:
        return datetime(int(found[1]), int(found[2]), int(found[3]), tzinfo=UTC)
    except ValueError:
        return _UNKNOWN_DATE
