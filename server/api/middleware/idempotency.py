"""Repeats of a request, recognised by `Idempotency-Key`, get the first one's answer.

Draft: https://datatracker.ietf.org/doc/html/draft-ietf-httpapi-idempotency-key-header.
"""

import hashlib
from typing import TYPE_CHECKING

from starlette.types import ASGIApp, Receive, Scope, Send

from server.api.exchange.kept_answers import KeptAnswer, KeptAnswers
from server.api.exchange.request_recorder import RequestRecorder
from server.api.exchange.responses import get_header, request_id_of, state_of, with_headers
from server.api.middleware.bodies import read_body
from server.core.errors import InvalidRequest
from server.dialects import registry

if TYPE_CHECKING:
    from server.api.services import Services

MAX_KEY_CHARACTERS = 255


class Idempotency:
    """Serves a repeated request from `answers`. Must be inside `Authentication` and the limits of the body."""

    def __init__(self, app: ASGIApp, *, services: "Services") -> None:
        self._app = app
        self._services = services

    @property
    def _answers(self) -> KeptAnswers:
        return self._services.kept_answers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        key = get_header(scope, b"idempotency-key") if _may_repeat(scope) else None
        if not key:
            await self._app(scope, receive, send)
            return
        if len(key) > MAX_KEY_CHARACTERS:
            raise InvalidRequest(f"Idempotency-Key has {len(key)} characters; {MAX_KEY_CHARACTERS} are allowed.")
        body = await read_body(receive)
        identity = (state_of(scope).get("client_key", ""), scope["path"], key)
        digest = hashlib.sha256(body).digest()
        answer = self._answers.find_answer(identity)
        if answer is None:
            answer = KeptAnswer(digest, request_id_of(scope))
            self._answers.start_answer(identity, answer, lambda *channel: self._app(scope, *channel), body)
            await answer.read(receive, send)
        elif answer.digest != digest:
            raise InvalidRequest(
                "This Idempotency-Key was sent with another request before.",
                code="idempotency_key_reused",
                hint="Give every request a key of its own, and repeat it only with the same body.",
            )
        else:
            await self._replay(answer, scope, receive, send)

    async def _replay(self, answer: KeptAnswer, scope: Scope, receive: Receive, send: Send) -> None:
        recorder = RequestRecorder(self._services, scope)
        try:
            await answer.read(receive, with_headers(send, {"idempotent-replayed": "true"}))
        finally:
            recorder.record_replay(answer.request_id)


def _may_repeat(scope: Scope) -> bool:
    return scope["type"] == "http" and scope["method"] == "POST" and registry.is_api_path(scope["path"])
