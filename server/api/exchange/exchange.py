"""The path of one request from its body to the answer, in every dialect."""

import asyncio
import hashlib
import itertools
import logging
from collections.abc import Coroutine
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from starlette.requests import ClientDisconnect
from starlette.types import Receive, Scope, Send

from server.api.exchange.generation import Generation
from server.api.exchange.preparation import fit_to_model, make_context, with_fetched_images, with_session_header
from server.api.exchange.request_recorder import RequestRecorder
from server.api.exchange.responses import header_lookup, json_response
from server.api.exchange.session_link import SessionLink, link_session, save_answer, session_id_of
from server.api.exchange.session_turns import RequestIdentity, SessionTurn
from server.api.exchange.stored_context import StoredContext, read_stored_context
from server.api.exchange.stream_writer import StreamWriter
from server.api.exchange.warnings import warning_header
from server.api.middleware.failures import log_failure
from server.core.errors import DatabaseUnusable, DragomanError, RequestCancelled, UpstreamTimeout, as_dragoman_error
from server.core.messages import MessageFold, MessagesRequest
from server.core.records import RequestRecord
from server.core.stored_responses import FinishedResponse
from server.core.tasks import spawn
from server.dialects.base import Call
from server.dialects.dialect import Dialect
from server.dialects.framing import Frame
from server.models import FittedRequest

if TYPE_CHECKING:
    from server.api.services import Services

log = logging.getLogger(__name__)
_arrival_numbers = itertools.count()


@dataclass(frozen=True, slots=True)
class Body:
    """A request's body, as bytes and parsed."""

    raw: bytes
    value: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Prepared:
    """A request that is ready for the backend."""

    call: Call
    link: SessionLink
    fitted: FittedRequest
    stored: StoredContext


class Exchange:
    """One request and its answer.

    Nothing is sent before the backend's first event, so an error still becomes an HTTP status. A streamed request that
    waits longer than `Pace.commit_after` is answered with 200 and pings; its errors are then events of the stream. When
    the client disconnects, the backend's work ends immediately.
    """

    def __init__(
        self, services: "Services", dialect: Dialect, body: Body, scope: Scope, receive: Receive, send: Send
    ) -> None:
        self._services = services
        self._dialect = dialect
        self._body = body
        self._scope = scope
        self._receive = receive
        self._send = send
        self._recorder = RequestRecorder(services, scope)
        self._generation: Generation | None = None
        self._turn: SessionTurn | None = None
        """The turn to end with the request. None once the save has taken it over: the next request in the session must
        see the stored answer."""
        self._pending_turn: asyncio.Task[SessionTurn] | None = None
        """The wait for the turn, so that `cancel` can end it."""
        self._stored: StoredContext | None = None
        """Holds the conversation to release with the request. None once the save has taken it over, as `_turn`."""
        self._cancelled: DragomanError | None = None
        """Set by `cancel`, which may come before there is a generation or a wait to end."""
        self._client_left = False
        """Set before the generation fails: the recorder then reports a cancellation and no error is sent."""
        self._arrival = next(_arrival_numbers)

    @property
    def record(self) -> RequestRecord:
        """The request's record so far."""
        return self._recorder.record

    def cancel(self, error: DragomanError) -> None:
        """End the work immediately; the client gets `error`."""
        self._cancelled = error
        if self._generation is not None:
            self._generation.end_with_error(error)
        elif self._pending_turn is not None:
            self._pending_turn.cancel()

    async def handle_request(self) -> None:
        """Serve the request. Raises the error to respond with, if nothing was sent yet."""
        with self._services.running.track_request(self):
            try:
                self._services.running.refuse_if_finishing()
                await self._send_answer(await self._prepare_request())
            except (asyncio.CancelledError, ClientDisconnect):
                self._recorder.record_cancelled(self._current_folds())
                raise
            except Exception as exception:
                error = as_dragoman_error(exception)
                self._record_end(error)
                if not self._client_left:
                    raise
            finally:
                self._end_turn()

    async def _prepare_request(self) -> Prepared:
        """Parse, link to the session and fit: everything before the backend is called."""
        body = self._body.value
        self._recorder.record_body(body)
        model = body.get("model")
        self._recorder.update_record(requested_model=model if isinstance(model, str) else None)
        body = with_session_header(body, self._scope)
        body = await with_fetched_images(self._services, body, self._dialect)
        header = header_lookup(self._scope)
        context = make_context(self._services, header)
        stored = self._stored = await read_stored_context(self._services, self._dialect, body, context.response_id)
        call = stored.translate(self._dialect, context)
        link = await self._link_session(call.request, stored)
        fitted = fit_to_model(self._services, link.request)
        warnings = (*self._dialect.header_warnings(header), *call.warnings, *fitted.warnings)
        self._recorder.record_prepared(
            model=link.request.model, session_id=link.session_id, stream=call.stream, warnings=warnings
        )
        return Prepared(call, link, fitted, stored)

    async def _link_session(self, request: MessagesRequest, stored: StoredContext) -> SessionLink:
        """The request in its session, after waiting for its turn there."""
        services = self._services
        if stored.conversation_id is not None:
            request = request.with_changes(session_id=stored.conversation_id)
        # The answer's own id names the conversation up to it, as any other checkpoint.
        made = stored.answer.id if stored.answer is not None else None
        session_id = session_id_of(request, made)
        if services.settings.history:
            # An id that was made for this request is unknown to all others, so no repeat can have it.
            identity = None if request.session_id is None else self._make_identity()
            wait = services.settings.queue_seconds
            await self._begin_turn(services.turns.begin_turn(session_id, wait=wait, identity=identity))
        return await link_session(services, request, session_id, is_complete=stored.is_complete)

    async def _begin_turn(self, waiting: Coroutine[Any, Any, SessionTurn]) -> None:
        """Wait for the turn, until `cancel`. Raises as SessionTurns.begin_turn."""
        if self._cancelled is not None:
            waiting.close()
            raise self._cancelled
        task = self._pending_turn = asyncio.ensure_future(waiting)
        try:
            # Race: the turn is given in the same loop iteration in which this request is cancelled. Awaiting the task
            # itself would lose its result, and the session would stay locked. `wait` leaves the task alone: the turn
            # is taken below, and `handle_request` ends it.
            await asyncio.wait([task])
        finally:
            self._pending_turn = None
            # `cancel` is False for a task that is done, which then has either a turn or an error.
            if not task.cancel() and not task.cancelled() and task.exception() is None:
                self._turn = task.result()
        # The task was cancelled by `cancel`, not together with this request.
        if task.cancelled() and self._cancelled is not None:
            raise self._cancelled
        await task

    def _make_identity(self) -> RequestIdentity:
        digest = hashlib.sha256(self.record.endpoint.encode("utf-8", "replace") + b"\0" + self._body.raw).digest()
        return RequestIdentity(digest, self._arrival, self.cancel)

    def _end_turn(self) -> None:
        if self._turn is not None:
            self._turn.end_turn()
            self._turn = None
        if self._stored is not None:
            self._stored.release()

    def _response_headers(self, prepared: Prepared) -> dict[str, str]:
        """The response's own headers. The warnings may still grow until the first event."""
        headers = {"x-session-id": prepared.link.session_id}
        if (text := warning_header(self.record.warnings)) is not None:
            headers["warning"] = text
        return headers

    async def _send_answer(self, prepared: Prepared) -> None:
        # `cancel` came while images were fetched or the session was read, with nothing to end yet.
        if self._cancelled is not None:
            raise self._cancelled
        generation = self._generation = self._make_generation(prepared)
        watch = spawn(self._watch_client(generation), name="watch the client")
        deadlines = self._set_deadlines(generation)
        generation.start()
        try:
            if prepared.call.stream:
                await self._send_stream(generation, prepared)
            else:
                await self._send_body(generation, prepared)
        finally:
            watch.cancel()
            for deadline in deadlines:
                deadline.cancel()
            await generation.stop()

    def _frame(self, prepared: Prepared) -> Frame | None:
        """The frame of streamed chunks; None if nothing is streamed."""
        return self._dialect.framing.frame if prepared.call.stream else None

    def _make_generation(self, prepared: Prepared) -> Generation:
        return Generation(
            self._services.backend,
            prepared.fitted,
            prepared.call,
            frame=self._frame(prepared),
            refit=lambda choice: fit_to_model(self._services, prepared.link.request.with_choice(choice)),
            on_routed=self._recorder.record_routing,
            on_switched=self._recorder.record_switch,
            on_first_delta=self._recorder.record_first_delta,
            on_complete=lambda: self._record_completion(prepared),
        )

    async def _send_stream(self, generation: Generation, prepared: Prepared) -> None:
        pace, framing = self._services.pace, self._dialect.framing
        await StreamWriter(
            generation, framing, lambda: self._response_headers(prepared), self._send, pace
        ).write_stream()
        if generation.error is not None:
            # The stream already contains it, so it is not raised and must be recorded here.
            self._record_end(generation.error)
            if not self._client_left:
                log_failure(generation.error, self._scope)

    async def _send_body(self, generation: Generation, prepared: Prepared) -> None:
        await generation.finished.wait()
        if generation.error is not None:
            raise generation.error
        response = json_response(generation.response_body(), headers=self._response_headers(prepared))
        await response(self._scope, self._receive, self._send)

    def _set_deadlines(self, generation: Generation) -> list[asyncio.TimerHandle]:
        settings, loop = self._services.settings, asyncio.get_running_loop()

        def give_up(seconds: float, on_silence: bool) -> None:
            if on_silence and generation.has_started:
                return
            what = "no part of its answer arrived" if on_silence else "its answer was not complete"
            generation.end_with_error(UpstreamTimeout(f"The request timed out: {what} within {seconds:g} seconds."))

        limits = ((settings.first_event_timeout, True), (settings.request_timeout, False))
        return [loop.call_later(seconds, give_up, seconds, on_silence) for seconds, on_silence in limits]

    async def _watch_client(self, generation: Generation) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass
        self._client_left = True
        generation.end_with_error(RequestCancelled("The client disconnected."))

    def _record_completion(self, prepared: Prepared) -> None:
        """Record and save the complete answer, before its last bytes are written."""
        generation, services = self._generation, self._services
        if generation is None:
            return
        folds = generation.folds
        stored, settings = prepared.stored, services.settings
        body = generation.response_body() if settings.log_bodies or stored.answer is not None else None
        self._recorder.record_success(folds, generation.cost, body if settings.log_bodies else None)
        response = stored.finish_answer(body, continuable=not prepared.link.joined) if body is not None else None
        if settings.history or response is not None:
            # The turn lasts until the answer is stored: the next request in the session continues from it.
            turn, self._turn = self._turn, None
            self._stored = None
            stored.begin_saving()
            services.writes.add_write(self._save_session(prepared, folds[0], turn, response), "save the session")

    async def _save_session(
        self, prepared: Prepared, fold: MessageFold, turn: SessionTurn | None, response: FinishedResponse | None
    ) -> None:
        link, store = prepared.link, self._services.answer_store
        try:
            await save_answer(store, link, fold, client=self.record.client, response=response)
        except DatabaseUnusable as error:
            # The store publishes its own failure and tries again.
            log.warning("the session %s could not be saved: %s", link.session_id, error)
        finally:
            prepared.stored.release()
            if turn is not None:
                turn.end_turn()

    def _record_end(self, error: DragomanError) -> None:
        if self._client_left:
            self._recorder.record_cancelled(self._current_folds())
        elif isinstance(error, RequestCancelled):
            self._recorder.record_cancelled(self._current_folds(), reason=error.message)
        else:
            self._recorder.record_error(error, self._current_folds())

    def _current_folds(self) -> list[MessageFold]:
        return [] if self._generation is None else self._generation.folds
