"""`GET /` and `GET /health`: public endpoints without private data."""

from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import PlainTextResponse, Response

from server import __version__
from server.api.exchange.responses import header_lookup, json_response
from server.dialects import registry
from server.dialects.dialect import Dialect
from server.dialects.ollama.greeting import GREETING, expects_greeting

router = APIRouter()

_OTHER_ENDPOINTS = (
    "GET /v1/models",
    "GET /v1/models/{id}",
    "GET /api/version, /api/tags, /api/ps",
    "POST /api/show, /api/pull",
    "GET /api/v0/models, /api/v0/models/{id}, /api/v1/models",
    "POST /api/v1/models/load, /api/v1/models/unload, /api/v1/models/download",
    "GET /health",
    "GET, DELETE /api/sessions",
    "GET, DELETE /api/sessions/{id}",
    "GET /api/requests",
    "GET, DELETE /api/requests/{id}",
)


@router.api_route("/", methods=["GET", "HEAD"])
async def get_root(request: Request) -> Response:
    """Name, version and endpoints of this server; for Ollama's clients its greeting."""
    server = request.scope.get("server")
    if expects_greeting(header_lookup(request.scope), server[1] if server else None):
        return PlainTextResponse(GREETING)
    base = str(request.base_url).rstrip("/")
    return json_response(
        {
            "name": "Dragoman",
            "version": __version__,
            **{f"{_word(known.provider)}_base_url": f"{base}{known.base_path}" for known in registry.DIALECTS},
            "endpoints": [f"POST {path}" for path in registry.endpoint_paths()]
            + [line for known in registry.DIALECTS for line in _stored_answer_endpoints(known)]
            + list(_OTHER_ENDPOINTS),
            "hint": "Send this server's API key as 'Authorization: Bearer KEY' or 'x-api-key: KEY'.",
        }
    )


def _stored_answer_endpoints(dialect: Dialect) -> list[str]:
    if dialect.stored_answers is None:
        return []
    conversations = dialect.stored_answers.conversations_path
    return [
        f"GET, DELETE {dialect.path}/{{id}}",
        f"GET {dialect.path}/{{id}}/input_items",
        f"POST {dialect.path}/{{id}}/cancel",
        f"POST {dialect.path}/compact",
        f"POST {conversations}",
        f"GET, POST, DELETE {conversations}/{{id}}",
        f"GET, POST {conversations}/{{id}}/items",
        f"GET, DELETE {conversations}/{{id}}/items/{{item_id}}",
    ]


@router.api_route("/health", methods=["GET", "HEAD"])
async def get_health(request: Request) -> Response:
    """The status of server and backend, without facts about the account."""
    services = request.app.state.services
    status = services.backend.status()
    body: dict[str, Any] = {
        "status": "ok",
        "version": __version__,
        "uptime_seconds": round(services.uptime, 1),
        "backend": {
            "name": services.backend.name,
            "ready": status.ready,
            "detail": status.detail,
            "version": status.facts.get("version"),
            "processes": status.facts.get("processes"),
        },
    }
    return json_response(body)


def _word(provider: str) -> str:
    return provider.lower().replace(" ", "_")
