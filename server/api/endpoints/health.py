"""`GET /` and `GET /health`: whether the server lives. Open to all, and says nothing private."""

from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from server import __version__
from server.api.exchange.answers import json_response

router = APIRouter()

_ENDPOINTS = (
    "POST /v1/chat/completions",
    "POST /v1/messages",
    "POST /v1/messages/count_tokens",
    "GET /v1/models",
    "GET /v1/models/{id}",
    "GET /health",
    "GET, DELETE /api/sessions",
    "GET, DELETE /api/sessions/{id}",
    "GET /api/requests",
    "GET, DELETE /api/requests/{id}",
)


@router.api_route("/", methods=["GET", "HEAD"])
async def root(request: Request) -> Response:
    """What this server is and where things are."""
    base = str(request.base_url).rstrip("/")
    return json_response(
        {
            "name": "Dragoman",
            "version": __version__,
            "openai_base_url": f"{base}/v1",
            "anthropic_base_url": base,
            "endpoints": _ENDPOINTS,
            "hint": "Send this server's API key as 'Authorization: Bearer KEY' or 'x-api-key: KEY'.",
        }
    )


@router.api_route("/health", methods=["GET", "HEAD"])
async def health(request: Request) -> Response:
    """Alive, and what is known of Claude Code without asking anyone. Facts about the account stay inside."""
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
