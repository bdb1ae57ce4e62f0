"""Stored responses: get, delete, cancel, input items; and compaction of a conversation."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from server.api.endpoints.dialects import ExchangeEndpoint
from server.api.endpoints.item_pages import item_page
from server.api.exchange.event_log import EventLog
from server.api.exchange.event_stream import send_events
from server.api.exchange.responses import json_response
from server.api.exchange.stream_writer import Pace
from server.core.errors import DragomanError, InvalidRequest, NotFound
from server.core.messages import MessageFold, StreamEvent
from server.core.stored_responses import StoredResponse
from server.dialects.base import Call, Chunk, Context, Encoder
from server.dialects.dialect import Dialect
from server.dialects.framing import Framing
from server.dialects.stored_answers import StoredAnswers

if TYPE_CHECKING:
    from server.api.services import Services


def make_response_router(dialect: Dialect, hooks: StoredAnswers) -> APIRouter:
    """The routes of the dialect's stored answers, below its path."""
    router = APIRouter()
    # Before the routes with an id, one of which it would be.
    router.add_route(f"{dialect.path}/compact", _compaction_endpoint(dialect, hooks), methods=["POST"])  # type: ignore[arg-type]

    @router.api_route(f"{dialect.path}/{{response_id}}", methods=["GET", "HEAD"])
    async def get_response(request: Request, response_id: str) -> Response:
        stored = await _find_response(request, response_id)
        if request.query_params.get("stream") != "true":
            return json_response(stored.body)
        services: Services = request.app.state.services
        run = services.background.find_run(response_id)
        if run is None:
            raise InvalidRequest(
                f"The events of the response {response_id!r} are not kept.",
                param="stream",
                hint="Get it without stream. Events are kept for the latest responses in the background.",
            )
        start = _read_start(request.query_params.get("starting_after"))
        return _EventResponse(run.log, dialect.framing, services.pace, start)

    @router.delete(f"{dialect.path}/{{response_id}}")
    async def delete_response(request: Request, response_id: str) -> Response:
        services: Services = request.app.state.services
        await services.background.cancel_run(response_id)
        services.background.forget_run(response_id)
        if not await services.answer_store.delete_response(response_id):
            raise _not_found(response_id)
        return json_response({"id": response_id, "object": "response", "deleted": True})

    @router.post(f"{dialect.path}/{{response_id}}/cancel")
    async def cancel_response(request: Request, response_id: str) -> Response:
        stored = await _find_response(request, response_id)
        if stored.body.get("background"):
            services: Services = request.app.state.services
            await services.background.cancel_run(response_id)
            return json_response((await _find_response(request, response_id)).body)
        raise InvalidRequest(
            f"The response {response_id!r} was not created in the background, and cannot be cancelled.",
            hint="Close the connection of a response to end it.",
        )

    @router.api_route(f"{dialect.path}/{{response_id}}/input_items", methods=["GET", "HEAD"])
    async def list_input_items(request: Request, response_id: str) -> Response:
        stored = await _find_response(request, response_id)
        return json_response(item_page(stored.input, request.query_params, hooks.show_item))

    return router


class _EventResponse(Response):
    """The events of a response in the background, from the index `start`."""

    def __init__(self, log: EventLog, framing: Framing, pace: Pace, start: int) -> None:
        super().__init__()
        self._parts = (log, framing, pace)
        self._start = start

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await send_events(*self._parts, {}, receive, send, start=self._start)


def _read_start(starting_after: str | None) -> int:
    if starting_after is None:
        return 0
    if not (starting_after.isascii() and starting_after.isdigit() and len(starting_after) < 10):
        raise InvalidRequest(
            f"starting_after is {starting_after[:20]!r}.",
            param="starting_after",
            hint="It must be the sequence_number of the last event that was read.",
        )
    return int(starting_after) + 1


async def _find_response(request: Request, response_id: str) -> StoredResponse:
    services: Services = request.app.state.services
    stored = await services.answer_store.find_response(response_id)
    if stored is None:
        raise _not_found(response_id)
    return stored


def _not_found(response_id: str) -> NotFound:
    return NotFound(
        f"Response with id {response_id!r} not found.",
        hint="It was not stored, has expired or was deleted; its session's deletion includes it.",
    )


def _compaction_endpoint(dialect: Dialect, hooks: StoredAnswers) -> ExchangeEndpoint:
    """The endpoint that answers with a summary of the conversation."""

    def to_messages(body: Any, context: Context) -> Call:
        call = dialect.to_messages(body, context)
        return replace(call, encoder=_CompactionEncoder(call.encoder, hooks))

    return ExchangeEndpoint(replace(dialect, to_messages=to_messages), hooks.with_compaction)


class _CompactionEncoder:
    """Implements `server.dialects.base.Encoder` for a response that is not streamed."""

    def __init__(self, encoder: Encoder, hooks: StoredAnswers) -> None:
        self._encoder = encoder
        self._hooks = hooks

    @property
    def model(self) -> str:
        return self._encoder.model

    @model.setter
    def model(self, name: str) -> None:
        self._encoder.model = name

    def feed(self, event: StreamEvent, choice: int = 0) -> Iterable[Chunk]:
        return self._encoder.feed(event, choice)

    def close(self, folds: Sequence[MessageFold]) -> Iterable[Chunk]:
        return self._encoder.close(folds)

    def ping(self) -> Iterable[Chunk]:
        return self._encoder.ping()

    def fail(self, error: DragomanError) -> Iterable[Chunk]:
        return self._encoder.fail(error)

    def build_response(self, folds: Sequence[MessageFold]) -> dict[str, Any]:
        return self._hooks.make_compaction(self._encoder.build_response(folds))
