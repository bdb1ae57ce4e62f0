"""Ollama's endpoints that need no model: its version, lists and descriptions of models."""

from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from server.api.endpoints.offered_models import find_offered, list_offered
from server.api.exchange.responses import json_response
from server.api.middleware.bodies import parse_object, read_body
from server.core.errors import InvalidRequest
from server.dialects.base import Chunk
from server.dialects.framing import NDJSON
from server.dialects.ollama.body import check_model_body
from server.dialects.ollama.descriptions import VERSION, process_entry, show_response, tag_entry

router = APIRouter()

_PULLED: tuple[dict[str, Any], ...] = ({"status": "pulling manifest"}, {"status": "success"})


@router.api_route("/api/version", methods=["GET", "HEAD"])
async def get_version() -> Response:
    """The version of Ollama whose API this is."""
    return json_response({"version": VERSION})


@router.api_route("/api/tags", methods=["GET", "HEAD"])
async def list_tags(request: Request) -> Response:
    """All models."""
    services = request.app.state.services
    return json_response({"models": [tag_entry(model, services.started_at) for model in list_offered(services)]})


@router.api_route("/api/ps", methods=["GET", "HEAD"])
async def list_loaded(request: Request) -> Response:
    """The loaded models, which are all of them."""
    return json_response({"models": [process_entry(model) for model in list_offered(request.app.state.services)]})


@router.post("/api/show")
async def show_model(request: Request) -> Response:
    """One model, by any name that requests may use. Raises InvalidRequest or ModelNotFound."""
    services = request.app.state.services
    name, _ = await _read_model_body(request)
    return json_response(show_response(find_offered(services, name), services.started_at))


@router.post("/api/pull")
async def pull_model(request: Request) -> Response:
    """Report success for a model that is there. Raises InvalidRequest or ModelNotFound."""
    name, stream = await _read_model_body(request)
    find_offered(request.app.state.services, name)
    if not stream:
        return json_response(_PULLED[-1])
    return Response(b"".join(NDJSON.frame(Chunk(line)) for line in _PULLED), headers=NDJSON.headers)


@router.post("/api/embed")
@router.post("/api/embeddings")
async def refuse_embeddings() -> Response:
    """Refuse to embed."""
    raise InvalidRequest("Claude makes no embeddings.", hint="Use an embedding model of another server for them.")


@router.post("/api/create")
@router.post("/api/copy")
@router.post("/api/push")
@router.delete("/api/delete")
async def refuse_changes(request: Request) -> Response:
    """Refuse to change the list of models."""
    raise InvalidRequest(
        f"The models here are Claude's, so {request.url.path} has nothing to work on.",
        hint="For another name of a model add an alias in the settings.",
    )


async def _read_model_body(request: Request) -> tuple[str, bool]:
    """The model that the body names, and whether the reply is streamed."""
    return check_model_body(parse_object(await read_body(request.receive)))
