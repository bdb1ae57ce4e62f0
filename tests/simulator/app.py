"""The simulator's HTTP: routes, the API key, recording. An ASGI application."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import orjson

from server.core import exact_json
from tests.simulator.blocks import estimate_tokens
from tests.simulator.exchange import Exchange, Message, Send
from tests.simulator.http_errors import HttpError
from tests.simulator.models import MODELS
from tests.simulator.recording import Recorded, Recording
from tests.simulator.refusals import Refusal, refusal
from tests.simulator.script import Script

Receive = Callable[[], Awaitable[Message]]

MODELS_PATH = "/v1/models"
TRANSPORT = "simulator.transport"
"""Where the server puts the connection's transport in the ASGI scope, so that an answer can abort it."""

MAX_BODY = 32 * 1024 * 1024


class App:
    """The API over one script and one recording. `strict` switches the refusals of the real API on."""

    def __init__(self, script: Script, recording: Recording, strict: bool = True) -> None:
        self._script = script
        self._recording = recording
        self._strict = strict

    async def __call__(self, scope: Any, receive: Receive, send: Send) -> None:
        """Answer one request."""
        raw = await _read(receive)
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        recorded = Recorded(scope["method"], scope["path"], headers, raw, _decoded(raw))
        self._recording.add(recorded)
        exchange = Exchange(recorded, self._recording, send, scope["extensions"][TRANSPORT])
        try:
            await _until_gone(self._answer(exchange), receive, exchange)
        except Exception as error:  # usually from a test's own function: report it to the client and to the test
            if recorded.status is not None:
                raise
            await exchange.send_error(HttpError(500, message=f"the simulator failed: {error!r}"))
        finally:
            exchange.ended()

    async def _answer(self, exchange: Exchange) -> None:
        recorded = exchange.recorded
        if not _has_key(recorded):
            await exchange.send_error(HttpError(401, message="x-api-key header is required"))
            return
        match (recorded.method, recorded.path):
            case ("POST", "/v1/messages"):
                await self._messages(exchange)
            case ("POST", "/v1/messages/count_tokens"):
                await self._count_tokens(exchange)
            case ("GET", path) if path == MODELS_PATH:
                await exchange.send_json(200, _model_list())
            case ("GET", path) if path.startswith(MODELS_PATH + "/"):
                await _one_model(exchange, path.removeprefix(MODELS_PATH + "/"))
            case _:
                await exchange.send_error(HttpError(404, message="Not Found"))

    async def _messages(self, exchange: Exchange) -> None:
        refused = self._refused(exchange.recorded)
        if refused is not None:
            await exchange.send_error(HttpError(refused.status, refused.type, refused.message))
            return
        await exchange.send_reply(self._script.reply_to(exchange.recorded))

    async def _count_tokens(self, exchange: Exchange) -> None:
        recorded = exchange.recorded
        body = recorded.body
        if isinstance(body, dict):
            # Nothing that is counted has a limit, so none is too small for a thinking budget.
            largest = MODELS[recorded.model].max_tokens if recorded.model in MODELS else 1
            body = {"max_tokens": largest, **body}
        refused = self._refused(recorded, body)
        if refused is not None:
            await exchange.send_error(HttpError(refused.status, refused.type, refused.message))
            return
        await exchange.send_json(200, {"input_tokens": estimate_tokens(len(recorded.raw))})

    def _refused(self, recorded: Recorded, body: Any = None) -> Refusal | None:
        if len(recorded.raw) > MAX_BODY:
            return Refusal("Request exceeds the maximum size", 413, "request_too_large")
        body = recorded.body if body is None else body
        if not isinstance(body, dict):
            return Refusal("The request body is not valid JSON")
        return refusal(body) if self._strict else None


def _has_key(recorded: Recorded) -> bool:
    bearer = recorded.headers.get("authorization", "").startswith("Bearer ")
    return bearer or bool(recorded.headers.get("x-api-key"))


async def _until_gone(answer: Any, receive: Receive, exchange: Exchange) -> None:
    """Write the answer until it is whole or the client is gone."""
    writing = asyncio.ensure_future(answer)
    leaving = asyncio.ensure_future(_gone(receive))
    try:
        await asyncio.wait({writing, leaving}, return_when=asyncio.FIRST_COMPLETED)
        if writing.done():
            await writing
        else:
            exchange.ended(disconnected=True)
    finally:
        writing.cancel()
        leaving.cancel()


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _read(receive: Receive) -> bytes:
    pieces = []
    more = True
    while more:
        message_ = await receive()
        pieces.append(message_.get("body", b""))
        more = message_.get("more_body", False)
    return b"".join(pieces)


def _decoded(raw: bytes) -> Any:
    try:
        return exact_json.loads(raw)
    except orjson.JSONDecodeError:
        return None


def _model_entry(id_: str) -> dict[str, Any]:
    name = MODELS[id_].display_name
    return {"type": "model", "id": id_, "display_name": name, "created_at": "2026-01-01T00:00:00Z"}


def _model_list() -> dict[str, Any]:
    data = [_model_entry(id_) for id_ in MODELS]
    return {"data": data, "has_more": False, "first_id": data[0]["id"], "last_id": data[-1]["id"]}


async def _one_model(exchange: Exchange, id_: str) -> None:
    if id_ in MODELS:
        await exchange.send_json(200, _model_entry(id_))
    else:
        await exchange.send_error(HttpError(404, message=f"model: {id_}"))
