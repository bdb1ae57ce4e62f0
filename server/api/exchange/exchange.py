"""The walk of one request: a body in, the backend's answer out, the same for every dialect."""

import asyncio
import hashlib
import itertools
import logging
from collections.abc import Coroutine
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from starlette.requests import ClientDisconnect
from starlette.types import Receive, Scope, Send

from server.api.exchange.generation import Production
from server.api.exchange.preparation import context_of, fitted_request, with_fetched_images, with_session_header
from server.api.exchange.request_recorder import Observation
from server.api.exchange.responses import headers_of, json_response
from server.api.exchange.session_link import SessionLink, link_session, save_answer, session_id_of
from server.api.exchange.session_turns import Identity, Turn
from server.api.exchange.stream_writer import StreamWriter
from server.api.exchange.warnings import warning_header
from server.api.middleware.bodies import parse_object, read_body
from server.api.middleware.failures import log_failure
from server.core.errors import DatabaseUnusable, RequestCancelled, TrayError, UpstreamTimeout, as_tray_error
from server.core.messages import MessageFold, MessagesRequest
from server.core.records import RequestRecord
from server.core.tasks import spawn
from server.dialects.base import Call
from server.dialects.dialect import Dialect
from server.models import Fitted

if TYPE_CHECKING:
    from server.api.services import Services

log = logging.getLogger(__name__)
_arrivals = itertools.count()


class ExchangeEndpoint:
    """A dialect's endpoint, as an ASGI application."""

    def __init__(self, dialect: Dialect) -> None:
        self._dialect = dialect

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        services: Services = scope["app"].state.services
        # Until here a refusal is a matter of `Refusals`, which counts equal ones: a client may send garbage for hours.
        try:
            raw = await read_body(receive)
        except ClientDisconnect:
            Observation(services, scope).abandon()
            raise
        exchange = Exchange(services, self._dialect, Body(raw, parse_object(raw)), scope, receive, send)
        await exchange.run()


@dataclass(frozen=True, slots=True)
class Body:
    """A request's body, as bytes and as the object that they stand for."""

    raw: bytes
    value: dict[str, Any]


@dataclass(frozen=True, slots=True)
class _Prepared:
    call: Call
    link: SessionLink
    fitted: Fitted


class Exchange:
    """One request and its answer.

    Nothing leaves before the first event of the backend, so that an error still becomes an HTTP status. Only a
    streamed request that waits longer than `Pace.commit_after` is answered 200 with pings; its errors are then
    events of the stream. When the client leaves, the backend's work ends at once.
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
        self._observation = Observation(services, scope)
        self._production: Production | None = None
        self._turn: Turn | None = None
        self._turn_to_come: asyncio.Task[Turn] | None = None
        self._cancelled: TrayError | None = None
        self._client_left = False
        self._arrived = next(_arrivals)

    @property
    def record(self) -> RequestRecord:
        """What is known of the request."""
        return self._observation.record

    def cancel(self, error: TrayError) -> None:
        """End the work at once and tell the client `error`."""
        self._cancelled = error
        if self._production is not None:
            self._production.fail(error)
        elif self._turn_to_come is not None:
            self._turn_to_come.cancel()

    async def run(self) -> None:
        """Serve the request. Raises the error to answer with, if nothing was sent yet."""
        with self._services.running.entered(self):
            try:
                self._services.running.refuse_if_finishing()
                await self._answer(await self._prepare())
            except (asyncio.CancelledError, ClientDisconnect):
                self._observation.abandon(self._folds())
                raise
            except Exception as exception:
                error = as_tray_error(exception)
                self._record_end(error)
                if not self._client_left:
                    raise
            finally:
                self._end_turn()

    async def _prepare(self) -> _Prepared:
        """Everything before the backend is asked."""
        body = self._body.value
        self._observation.body(body)
        model = body.get("model")
        self._observation.update(requested_model=model if isinstance(model, str) else None)
        body = with_session_header(body, self._scope)
        body = await with_fetched_images(self._services, body, self._dialect)
        call = self._dialect.to_messages(body, context_of(self._services))
        link = await self._link(call.request)
        fitted = fitted_request(self._services, link.request)
        warnings = (*self._dialect.header_warnings(headers_of(self._scope)), *call.warnings, *fitted.warnings)
        self._observation.prepared(
            model=link.request.model, session_id=link.session_id, stream=call.stream, warnings=warnings
        )
        return _Prepared(call, link, fitted)

    async def _link(self, request: MessagesRequest) -> SessionLink:
        """The request in its session, once no other request has its turn there."""
        services, session_id = self._services, session_id_of(request)
        if services.settings.history:
            # Nobody else has an id that was made for this request.
            identity = None if request.session_id is None else self._identity()
            wait = services.settings.queue_seconds
            await self._begin_turn(services.turns.begin(session_id, wait=wait, identity=identity))
        return await link_session(services, request, session_id)

    async def _begin_turn(self, coming: Coroutine[Any, Any, Turn]) -> None:
        """Wait for the turn; `cancel` ends the wait. Raises as SessionTurns.begin does."""
        if self._cancelled is not None:
            coming.close()
            raise self._cancelled
        task = self._turn_to_come = asyncio.ensure_future(coming)
        try:
            # Not the task itself: a turn that came in the moment in which this ended would never be given back.
            await asyncio.wait([task])
        finally:
            self._turn_to_come = None
            if not task.cancel() and not task.cancelled() and task.exception() is None:
                self._turn = task.result()
        if task.cancelled() and self._cancelled is not None:
            raise self._cancelled
        await task

    def _identity(self) -> Identity:
        digest = hashlib.sha256(self.record.endpoint.encode("utf-8", "replace") + b"\0" + self._body.raw).digest()
        return Identity(digest, self._arrived, self.cancel)

    def _end_turn(self) -> None:
        if self._turn is not None:
            self._turn.end()
            self._turn = None

    def _headers(self, prepared: _Prepared) -> dict[str, str]:
        """The response's own headers, as things stand."""
        headers = {"x-session-id": prepared.link.session_id}
        if (text := warning_header(self.record.warnings)) is not None:
            headers["warning"] = text
        return headers

    async def _answer(self, prepared: _Prepared) -> None:
        if self._cancelled is not None:
            raise self._cancelled
        production = self._production = self._produce(prepared)
        watch = spawn(self._watch_client(production), name="watch the client")
        deadlines = self._set_deadlines(production)
        production.start()
        try:
            if prepared.call.stream:
                await self._stream(production, prepared)
            else:
                await self._whole(production, prepared)
        finally:
            watch.cancel()
            for deadline in deadlines:
                deadline.cancel()
            await production.stop()

    def _produce(self, prepared: _Prepared) -> Production:
        framing = self._dialect.framing
        return Production(
            self._services.backend,
            prepared.fitted,
            prepared.call,
            frame=framing.frame if prepared.call.stream else None,
            on_routed=self._observation.routed,
            on_first_delta=self._observation.first_delta,
            on_complete=lambda: self._complete(prepared),
        )

    async def _stream(self, production: Production, prepared: _Prepared) -> None:
        pace, framing = self._services.pace, self._dialect.framing
        await StreamWriter(production, framing, lambda: self._headers(prepared), self._send, pace).run()
        if production.error is not None:
            # It was told to the client in the stream, so that nobody above hears of it.
            self._record_end(production.error)
            if not self._client_left:
                log_failure(production.error, self._scope)

    async def _whole(self, production: Production, prepared: _Prepared) -> None:
        await production.finished.wait()
        if production.error is not None:
            raise production.error
        response = json_response(production.whole(), headers=self._headers(prepared))
        await response(self._scope, self._receive, self._send)

    def _set_deadlines(self, production: Production) -> list[asyncio.TimerHandle]:
        settings, loop = self._services.settings, asyncio.get_running_loop()

        def give_up(seconds: float, on_silence: bool) -> None:
            if on_silence and production.begun:
                return
            what = "nothing of its answer came" if on_silence else "its answer was not complete"
            production.fail(UpstreamTimeout(f"The request was given up: {what} within {seconds:g} seconds."))

        limits = ((settings.first_event_timeout, True), (settings.request_timeout, False))
        return [loop.call_later(seconds, give_up, seconds, on_silence) for seconds, on_silence in limits]

    async def _watch_client(self, production: Production) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass
        self._client_left = True
        production.fail(RequestCancelled("The client left."))

    def _complete(self, prepared: _Prepared) -> None:
        """The answer is whole, though perhaps not all of it is written: it is kept from now on."""
        production, services = self._production, self._services
        if production is None:
            return
        folds = production.folds
        body = production.whole() if services.settings.log_bodies else None
        self._observation.finish(folds, production.cost, body)
        if services.settings.history:
            # The turn lasts until the store has it, so that the next one goes on from here.
            turn, self._turn = self._turn, None
            services.writes.add(self._save(prepared.link, folds[0], turn), "save the session")

    async def _save(self, link: SessionLink, fold: MessageFold, turn: Turn | None) -> None:
        try:
            await save_answer(self._services, link, fold, client=self.record.client)
        except DatabaseUnusable as error:
            # The store has published that it cannot write, and tries again.
            log.warning("the session %s could not be saved: %s", link.session_id, error)
        finally:
            if turn is not None:
                turn.end()

    def _record_end(self, error: TrayError) -> None:
        if self._client_left:
            self._observation.abandon(self._folds())
        elif isinstance(error, RequestCancelled):
            self._observation.abandon(self._folds(), reason=error.message)
        else:
            self._observation.fail(error, self._folds())

    def _folds(self) -> list[MessageFold]:
        return [] if self._production is None else self._production.folds
