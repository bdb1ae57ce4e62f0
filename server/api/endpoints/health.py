"""`GET /` and `GET /health`: public endpoints without private data."""

from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from server import __version__
from server.api.exchange.responses import json_response
from server.dialects import registry
from server.dialects.dialect import Dialect

router = APIRouter()

_OTHER_ENDPOINTS = (
    "GET /v1/models",
    "GET /v1/models/{id}",
    "GET /health",
    "GET, DELETE /api/sessions",
    "GET, DELETE /api/sessions/{id}",
    "GET /api/requests",
    "GET, DELETE /api/requests/{id}",
)


@router.api_route("/", methods=["GET", "HEAD"])
async def get_root(request: Request) -> Response:
    """Name, version and endpoints of this server."""
    base = str(request.base_url).rstrip("/")
    return json_response(
        {
            "name": "Dragoman",
            "version": __version__,
            **{f"{known.provider.lower()}_base_url": f"{base}{known.base_path}" for known in registry.DIALECTS},
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
