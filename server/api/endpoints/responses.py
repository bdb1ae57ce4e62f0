"""Stored responses: get, delete, cancel, input items; and compaction of a conversation."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from server.api.endpoints.dialects import ExchangeEndpoint
from server.api.endpoints.item_pages import item_page
from server.api.exchange.responses import json_response
from server.core.errors import DragomanError, InvalidRequest, NotFound
from server.core.messages import MessageFold, StreamEvent
from server.core.stored_responses import StoredResponse
from server.dialects.base import Call, Chunk, Context, Encoder
from server.dialects.dialect import Dialect
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
        if request.query_params.get("stream") == "true":
            raise InvalidRequest(
                "A stored response is not streamed again.",
                param="stream",
                hint="Get it without stream: it is complete.",
            )
        return json_response((await _find_response(request, response_id)).body)

    @router.delete(f"{dialect.path}/{{response_id}}")
    async def delete_response(request: Request, response_id: str) -> Response:
        services: Services = request.app.state.services
        if not await services.answer_store.delete_response(response_id):
            raise _not_found(response_id)
        return json_response({"id": response_id, "object": "response", "deleted": True})

    @router.post(f"{dialect.path}/{{response_id}}/cancel")
    async def cancel_response(request: Request, response_id: str) -> Response:
        await _find_response(request, response_id)
        raise InvalidRequest(
            f"The response {response_id!r} was not created in the background, and cannot be cancelled.",
            hint="Close the connection of a response to end it.",
        )

    @router.api_route(f"{dialect.path}/{{response_id}}/input_items", methods=["GET", "HEAD"])
    async def list_input_items(request: Request, response_id: str) -> Response:
        stored = await _find_response(request, response_id)
        return json_response(item_page(stored.input, request.query_params, hooks.show_item))

    return router


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
