"""The models of a chain: the next one answers if an earlier one cannot begin."""

import copy
import logging
from collections.abc import Callable, Sequence
from contextlib import aclosing

from server.backends.base import ROUTED, Backend, switched_event
from server.core.errors import (
    AccountRefused,
    ApiKeyRefused,
    CliNotFound,
    ContextTooLong,
    DragomanError,
    ModelNotFound,
    NotSignedIn,
    Overloaded,
    PlanLimitReached,
    ProcessDied,
    QueueFull,
    UpstreamFailed,
    UpstreamTimeout,
)
from server.core.messages import Events, MessagesRequest, ModelChoice, StreamEvent
from server.models import FittedRequest

log = logging.getLogger(__name__)

Refit = Callable[[ModelChoice], FittedRequest]
"""Fits the client's request to another model."""

_Failure = tuple[str, DragomanError]
"""A model and its error."""

_OF_THE_MODEL = (
    AccountRefused,
    ContextTooLong,
    ModelNotFound,
    Overloaded,
    PlanLimitReached,
    UpstreamFailed,
    UpstreamTimeout,
)
"""Errors that another model may not have. A plan's window may be one model's alone."""
_OF_THE_API = (ApiKeyRefused,)
"""Errors that only models of Claude Code may not have."""
_OF_CLAUDE_CODE = (CliNotFound, NotSignedIn, ProcessDied, QueueFull)
"""Errors that only models of the API may not have."""
_MAX_REASON = 200
"""Characters of an error in a warning."""


def stream_chain(backend: Backend, request: MessagesRequest, refit: Refit) -> Events:
    """Stream the answer of the first model that begins one; `request` is fitted to the first.

    A `switched_event` names a later model. If none answers, the error is that of a model that may answer later,
    otherwise the first one.
    """
    return _stream_models(backend, request, refit) if request.alternatives else backend.stream(request)


async def _stream_models(backend: Backend, request: MessagesRequest, refit: Refit) -> Events:
    waiting, failures, warnings = tuple(request.alternatives), list[_Failure](), list[str]()
    while True:
        begun = False
        try:
            async with aclosing(_hold_routing(backend.stream(request))) as events:
                async for event in events:
                    if failures and not begun:
                        yield switched_event(request.model, *warnings)
                    begun = True
                    yield event
            return
        except DragomanError as error:
            if begun:
                raise
            failures.append((request.model, error))
            position = _find_next(error, waiting)
        if position is None:
            raise _choose_error(failures)
        choice, waiting = waiting[position], waiting[position + 1 :]
        fitted = refit(choice)
        request = fitted.request
        warning = _failure_warning(*failures[-1], request.model)
        log.warning("%s", warning)
        warnings += (warning, *fitted.warnings)


async def _hold_routing(events: Events) -> Events:
    """Hold back a `routed_event` until the answer begins: the backend that took over may fail as well."""
    held: list[StreamEvent] = []
    async with aclosing(events):
        async for event in events:
            if event.get("type") == ROUTED:
                held.append(event)
                continue
            while held:
                yield held.pop(0)
            yield event


def _find_next(error: DragomanError, waiting: Sequence[ModelChoice]) -> int | None:
    """Return the index of the next model that may not have `error`."""
    # A missing key is first: its error is a kind of `NotSignedIn`.
    if isinstance(error, _OF_THE_API):
        return next((index for index, choice in enumerate(waiting) if not choice.by_api), None)
    if isinstance(error, _OF_CLAUDE_CODE):
        return next((index for index, choice in enumerate(waiting) if choice.by_api), None)
    return 0 if waiting and isinstance(error, _OF_THE_MODEL) else None


def _failure_warning(model: str, error: DragomanError, other: str) -> str:
    return f"{model} could not answer ({_shorten(error.message)}), so {other} was asked"


def _choose_error(failures: Sequence[_Failure]) -> DragomanError:
    """Return the error to report, with the failures of the other models in its hint."""
    temporary = [failure for failure in failures if isinstance(failure[1], Overloaded | PlanLimitReached)]
    model, error = (temporary or failures)[0]
    others = [f"{name} ({_shorten(other.message)})" for name, other in failures if other is not error]
    if not others:
        return error
    # A copy, because several requests may share the error of one failed start.
    reported = copy.copy(error)
    reported.message = f"{model}: {error.message}"
    reported.hint = f"{error.hint} The other models of the chain failed too: {'; '.join(others)}.".strip()
    return reported


def _shorten(text: str) -> str:
    text = text.rstrip(".")
    return text if len(text) <= _MAX_REASON else f"{text[:_MAX_REASON]}..."
