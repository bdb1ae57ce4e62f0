"""LM Studio's lists of models, and its requests to load them."""

from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from server.api.endpoints.offered_models import find_offered, list_offered
from server.api.exchange.responses import json_response
from server.api.middleware.bodies import parse_object, read_body
from server.core.errors import InvalidRequest
from server.dialects.lm_studio.descriptions import (
    download_response,
    load_response,
    unload_response,
    v0_entry,
    v1_entry,
)
from server.dialects.lm_studio.dialect import CHAT_PATH
from server.dialects.validation import invalid_field

router = APIRouter()


@router.api_route("/api/v0/models", methods=["GET", "HEAD"])
async def list_v0_models(request: Request) -> Response:
    """All models."""
    data = [v0_entry(model) for model in list_offered(request.app.state.services)]
    return json_response({"object": "list", "data": data})


@router.api_route("/api/v0/models/{model_id:path}", methods=["GET", "HEAD"])
async def get_v0_model(request: Request, model_id: str) -> Response:
    """One model, by any name that requests may use. Raises ModelNotFound."""
    return json_response(v0_entry(find_offered(request.app.state.services, model_id)))


@router.api_route("/api/v1/models", methods=["GET", "HEAD"])
async def list_v1_models(request: Request) -> Response:
    """All models, in the form of LM Studio 0.4 and later."""
    return json_response({"models": [v1_entry(model) for model in list_offered(request.app.state.services)]})


@router.post("/api/v1/models/load")
async def load_model(request: Request) -> Response:
    """Report that a model is loaded, as all are. Raises InvalidRequest or ModelNotFound."""
    return json_response(load_response(find_offered(request.app.state.services, await _read_name(request, "model"))))


@router.post("/api/v1/models/unload")
async def unload_model(request: Request) -> Response:
    """Accept a request that has nothing to do: Claude takes no memory here. Raises InvalidRequest."""
    return json_response(unload_response(await _read_name(request, "instance_id")))


@router.post("/api/v1/models/download")
async def download_model(request: Request) -> Response:
    """Report that a model is there. Raises InvalidRequest or ModelNotFound."""
    find_offered(request.app.state.services, await _read_name(request, "model"))
    return json_response(download_response())


@router.post("/api/v0/embeddings")
async def refuse_embeddings() -> Response:
    """Refuse to embed."""
    raise InvalidRequest("Claude makes no embeddings.", hint="Use an embedding model of another server for them.")


@router.post("/api/v1/chat")
async def refuse_chat() -> Response:
    """Refuse LM Studio's own form of a chat."""
    raise InvalidRequest(
        "LM Studio's own chat format is not supported here.",
        hint=f"Send the conversation to {CHAT_PATH}.",
    )


async def _read_name(request: Request, member: str) -> str:
    """The text in a member of the body. Raises InvalidRequest."""
    body: dict[str, Any] = parse_object(await read_body(request.receive))
    name = body.get(member)
    if not isinstance(name, str) or not name:
        raise invalid_field(member, "is missing", "Name a model; GET /api/v1/models lists them.")
    return name
