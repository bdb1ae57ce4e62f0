"""`/api/requests`: the recorded requests, and cancellation of running ones."""

from fastapi import APIRouter, Request
from starlette.responses import Response

from server.api.endpoints.administration import MAIN_KEY_ONLY
from server.api.exchange.responses import json_response
from server.core.errors import InvalidRequest, NotFound
from server.core.records import RequestFilter, RequestStatus, as_json

router = APIRouter(dependencies=MAIN_KEY_ONLY)


@router.api_route("/api/requests", methods=["GET", "HEAD"])
async def list_requests(
    request: Request,
    status: RequestStatus | None = None,
    session_id: str | None = None,
    search: str | None = None,
    key: str | None = None,
    since: float | None = None,
    until: float | None = None,
    cursor: str | None = None,
    limit: int = 50,
) -> Response:
    """A page of requests, latest first, without their bodies and headers.

    `key` is the name of a client key, or `main` for the server's own.
    """
    services = request.app.state.services
    wanted = RequestFilter(status=status, session_id=session_id, search=search, since=since, until=until, key=key)
    return json_response(as_json(await services.store.list_requests(wanted, cursor=cursor, limit=limit)))


@router.api_route("/api/requests/{request_id}", methods=["GET", "HEAD"])
async def get_request(request: Request, request_id: str) -> Response:
    """One request, with its headers, and its bodies if they were logged."""
    record = await request.app.state.services.store.get_request(request_id)
    if record is None:
        raise _not_found(request_id)
    return json_response(as_json(record))


@router.delete("/api/requests/{request_id}")
async def cancel_request(request: Request, request_id: str) -> Response:
    """Cancel a running request. Raises InvalidRequest if it has ended."""
    services = request.app.state.services
    if services.running.cancel_request(request_id):
        return json_response({"id": request_id, "cancelled": True})
    if await services.store.get_request(request_id) is None:
        raise _not_found(request_id)
    raise InvalidRequest(f"The request {request_id!r} has ended already.", code="request_ended")


def _not_found(request_id: str) -> NotFound:
    return NotFound(f"There is no request {request_id!r}.", hint="GET /api/requests lists them.")
