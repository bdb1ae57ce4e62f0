"""`/api/sessions`: the stored conversations."""

from fastapi import APIRouter, Request
from starlette.responses import Response

from server.api.endpoints.administration import MAIN_KEY_ONLY
from server.api.exchange.responses import json_response
from server.core.errors import InvalidRequest, NotFound
from server.core.records import as_json

router = APIRouter(dependencies=MAIN_KEY_ONLY)


@router.api_route("/api/sessions", methods=["GET", "HEAD"])
async def list_sessions(
    request: Request, search: str | None = None, cursor: str | None = None, limit: int = 50
) -> Response:
    """A page of sessions, last used first; `search` matches titles and messages."""
    services = request.app.state.services
    page = await services.store.list_sessions(search=search, cursor=cursor, limit=limit)
    return json_response(as_json(page))


@router.delete("/api/sessions")
async def delete_sessions(request: Request, search: str | None = None, all: bool = False) -> Response:
    """Delete the sessions that match `search`, or all sessions with `all=true`."""
    if bool(search) == all:
        hint = "Give either ?search=WORDS or ?all=true."
        raise InvalidRequest("It is not clear which sessions to delete.", param="search", hint=hint)
    services = request.app.state.services
    deleted = await services.store.delete_sessions(search=search or None, everything=all)
    return json_response({"deleted": deleted})


@router.api_route("/api/sessions/{session_id}", methods=["GET", "HEAD"])
async def get_session(request: Request, session_id: str) -> Response:
    """One session with all its messages."""
    services = request.app.state.services
    session = await services.store.find_session(session_id)
    if session is None:
        raise _not_found(session_id)
    return json_response(as_json(session))


@router.delete("/api/sessions/{session_id}")
async def delete_session(request: Request, session_id: str) -> Response:
    """Delete one session."""
    services = request.app.state.services
    if not await services.store.delete_session(session_id):
        raise _not_found(session_id)
    return json_response({"id": session_id, "deleted": True})


def _not_found(session_id: str) -> NotFound:
    return NotFound(f"There is no session {session_id!r}.", hint="It may have expired; GET /api/sessions lists them.")
