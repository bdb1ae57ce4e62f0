"""Conversations of the Responses API: create, get, update, delete; and their items."""

import uuid
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from server.api.endpoints.item_pages import item_list, item_page
from server.api.exchange.responses import json_response
from server.api.exchange.stored_context import conversation_not_found
from server.api.middleware.bodies import parse_object, read_body
from server.core.errors import InvalidRequest, NotFound
from server.core.stored_responses import Item, StoredConversation
from server.dialects.stored_answers import StoredAnswers

if TYPE_CHECKING:
    from server.store.store import Store

_MAX_METADATA = 16
_MAX_KEY = 64
_MAX_VALUE = 512
"""OpenAI's limits for metadata."""


def make_conversation_router(hooks: StoredAnswers) -> APIRouter:
    """The routes of conversations."""
    router = APIRouter()
    one = f"{hooks.conversations_path}/{{conversation_id}}"

    @router.post(hooks.conversations_path)
    async def create_conversation(request: Request) -> Response:
        body = parse_object(await read_body(request.receive))
        metadata = _read_metadata(body.get("metadata"))
        given = body.get("items")
        items = [] if given is None else _read_items(hooks, {"items": given})
        created = await _store(request).create_conversation(f"conv_{uuid.uuid4().hex}", metadata, items)
        return json_response(_conversation_body(created))

    @router.api_route(one, methods=["GET", "HEAD"])
    async def get_conversation(request: Request, conversation_id: str) -> Response:
        return json_response(_conversation_body(await _find_conversation(request, conversation_id)))

    @router.post(one)
    async def update_conversation(request: Request, conversation_id: str) -> Response:
        body = parse_object(await read_body(request.receive))
        metadata = _read_metadata(body.get("metadata"))
        if not await _store(request).set_conversation_metadata(conversation_id, metadata):
            raise conversation_not_found(conversation_id)
        return json_response(_conversation_body(await _find_conversation(request, conversation_id)))

    @router.delete(one)
    async def delete_conversation(request: Request, conversation_id: str) -> Response:
        if not await _store(request).delete_conversation(conversation_id):
            raise conversation_not_found(conversation_id)
        return json_response({"id": conversation_id, "object": "conversation.deleted", "deleted": True})

    _add_item_routes(router, hooks, f"{one}/items")
    return router


def _add_item_routes(router: APIRouter, hooks: StoredAnswers, path: str) -> None:
    @router.api_route(path, methods=["GET", "HEAD"])
    async def list_items(request: Request, conversation_id: str) -> Response:
        conversation = await _find_conversation(request, conversation_id)
        return json_response(item_page(conversation.items, request.query_params, hooks.show_item))

    @router.post(path)
    async def create_items(request: Request, conversation_id: str) -> Response:
        items = _read_items(hooks, parse_object(await read_body(request.receive)))
        if not await _store(request).append_conversation_items(conversation_id, items):
            raise conversation_not_found(conversation_id)
        return json_response(item_list([hooks.show_item(item) for item in items]))

    @router.api_route(f"{path}/{{item_id}}", methods=["GET", "HEAD"])
    async def get_item(request: Request, conversation_id: str, item_id: str) -> Response:
        conversation = await _find_conversation(request, conversation_id)
        found = next((item for item in conversation.items if item["id"] == item_id), None)
        if found is None:
            raise _item_not_found(item_id, conversation_id)
        return json_response(hooks.show_item(found))

    @router.delete(f"{path}/{{item_id}}")
    async def delete_item(request: Request, conversation_id: str, item_id: str) -> Response:
        conversation = await _find_conversation(request, conversation_id)
        if not await _store(request).delete_conversation_item(conversation_id, item_id):
            raise _item_not_found(item_id, conversation_id)
        return json_response(_conversation_body(conversation))


def _store(request: Request) -> "Store":
    store: Store = request.app.state.services.answer_store
    return store


async def _find_conversation(request: Request, conversation_id: str) -> StoredConversation:
    found = await _store(request).find_conversation(conversation_id)
    if found is None:
        raise conversation_not_found(conversation_id)
    return found


def _item_not_found(item_id: str, conversation_id: str) -> NotFound:
    return NotFound(
        f"Item with id {item_id!r} not found in the conversation {conversation_id!r}.",
        hint="List the items of the conversation for those that exist.",
    )


def _conversation_body(conversation: StoredConversation) -> dict[str, Any]:
    return {
        "id": conversation.id,
        "object": "conversation",
        "created_at": int(conversation.created_at),
        "metadata": conversation.metadata,
    }


def _read_items(hooks: StoredAnswers, body: Mapping[str, Any]) -> list[Item]:
    """The new items of a body, with ids. Raises InvalidRequest."""
    return hooks.name_items(hooks.check_items(body.get("items")), uuid.uuid4().hex, {})


def _read_metadata(value: Any) -> dict[str, str]:
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise InvalidRequest("metadata must be an object.", param="metadata", hint="Its values must be texts.")
    if len(value) > _MAX_METADATA:
        raise InvalidRequest(
            f"metadata has {len(value)} members.", param="metadata", hint=f"At most {_MAX_METADATA} are allowed."
        )
    for key, text in value.items():
        if len(key) > _MAX_KEY or not isinstance(text, str) or len(text) > _MAX_VALUE:
            raise InvalidRequest(
                f"metadata[{key[:_MAX_KEY]!r}] is invalid.",
                param="metadata",
                hint=f"Names have at most {_MAX_KEY} characters; values are texts of at most {_MAX_VALUE}.",
            )
    return value
