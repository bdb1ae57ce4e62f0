"""A response that is generated in the background, whether or not its client stays connected.

The client polls the stored response, reads its events, or cancels it. One that a killed server left unfinished is
marked as failed when the store is opened.
"""

import asyncio
import logging
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from starlette.types import Receive, Scope, Send

from server.api.exchange.event_log import EventLog
from server.api.exchange.event_stream import send_events
from server.api.exchange.exchange import Body, Exchange, Prepared
from server.api.exchange.generation import Generation
from server.api.exchange.responses import json_response
from server.api.middleware.failures import log_failure
from server.core.errors import DatabaseUnusable, DragomanError, InvalidRequest, RequestCancelled
from server.core.stored_responses import FinishedResponse
from server.dialects.base import Chunk
from server.dialects.dialect import Dialect
from server.dialects.framing import Frame

if TYPE_CHECKING:
    from server.api.services import Services

log = logging.getLogger(__name__)


class BackgroundExchange(Exchange):
    """A request that is answered at once with an unfinished response. `run` generates the answer."""

    def __init__(
        self, services: "Services", dialect: Dialect, body: Body, scope: Scope, receive: Receive, send: Send
    ) -> None:
        super().__init__(services, dialect, body, scope, receive, send)
        self.log = EventLog()
        self.response_id = ""
        """Empty until the request is accepted."""
        self.ended = asyncio.Event()
        """Set once the response's end is stored, or on its way to the store before later reads."""
        self._accepted: asyncio.Future[tuple[Prepared, dict[str, Any]]] = asyncio.get_running_loop().create_future()

    async def handle_request(self) -> None:
        """Accept the request and answer it. Raises the error of a request that cannot be accepted."""
        self._services.background.start_run(self)
        prepared, body = await asyncio.shield(self._accepted)
        headers = self._response_headers(prepared)
        if prepared.call.stream:
            await send_events(self.log, self._dialect.framing, self._services.pace, headers, self._receive, self._send)
        else:
            await json_response(body, headers=headers)(self._scope, self._receive, self._send)

    async def run(self) -> None:
        """Prepare the request, and generate and store the response."""
        try:
            await super().handle_request()
        except Exception as error:
            if not self._accepted.done():
                self._accepted.set_exception(error)
                self._accepted.exception()  # marks it as seen: the client may have gone
            elif isinstance(error, DragomanError):
                log_failure(error, self._scope)
            else:
                raise
        finally:
            self.log.end()
            self.ended.set()

    async def _prepare_request(self) -> Prepared:
        prepared = await super()._prepare_request()
        if prepared.stored.answer is None or not prepared.stored.answer.fetchable:
            raise InvalidRequest(
                "A response in the background must be stored: it could never be read.",
                param="background",
                hint="Leave out 'store', or set it to true.",
            )
        return prepared

    async def _send_answer(self, prepared: Prepared) -> None:
        """Generate and store the answer. Its client gets an unfinished response."""
        if self._cancelled is not None:
            raise self._cancelled
        answer = prepared.stored.answer
        assert answer is not None  # noqa: S101  checked by `_prepare_request`
        body = prepared.stored.build_unfinished_body(prepared.call.encoder, "in_progress")
        await self._services.answer_store.save_unfinished_response(replace(answer, body=body))
        self.response_id = answer.id
        generation = self._generation = self._make_generation(prepared)
        self._accepted.set_result((prepared, body))
        await self._generate(generation, prepared, answer)

    def _frame(self, prepared: Prepared) -> Frame:
        """Every event goes to the log, for which the generation keeps nothing."""
        frame = self._dialect.framing.frame

        def log_event(chunk: Chunk) -> bytes:
            self.log.add_event(frame(chunk))
            return b""

        return log_event

    async def _generate(self, generation: Generation, prepared: Prepared, answer: FinishedResponse) -> None:
        deadlines = self._set_deadlines(generation)
        # Race: `cancel` came while the unfinished response was stored.
        if self._cancelled is not None:
            generation.end_with_error(self._cancelled)
        else:
            generation.start()
        try:
            await generation.finished.wait()
        finally:
            for deadline in deadlines:
                deadline.cancel()
            await generation.stop()
        if generation.error is not None:
            generation.encode_error()
            await self._store_failure(generation.error, prepared, answer)
            raise generation.error

    async def _store_failure(self, error: DragomanError, prepared: Prepared, answer: FinishedResponse) -> None:
        status = "cancelled" if isinstance(error, RequestCancelled) else "failed"
        body = prepared.stored.build_unfinished_body(prepared.call.encoder, status, error)
        try:
            await self._services.answer_store.save_unfinished_response(
                replace(answer, body=body, output=body["output"])
            )
        except DatabaseUnusable as unusable:
            log.warning("the end of the response %s could not be saved: %s", answer.id, unusable)
