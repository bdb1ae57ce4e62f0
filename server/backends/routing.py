"""Routes requests to Claude Code, or to the Anthropic API if it cannot serve.

    the request needs what only the API has     the API, or an error that says why not
    the model's name begins with `api:`         the API
    Claude Code is missing or not signed in     the API
    the plan is used up                         the API, with `on_plan_limit`
    everything else, and any other error        Claude Code

The API serves only with a stored key, the setting `anthropic_fallback` and money left in the budget. It never takes
over an answer that has begun.
"""

import logging
from contextlib import aclosing

from server.backends.anthropic_api import AnthropicApiBackend
from server.backends.base import ROUTED, Backend, BackendStatus, routed_event
from server.backends.budget import ApiBudget
from server.backends.circuit_breaker import CircuitBreaker
from server.backends.guarded_api import GuardedApi
from server.config.own_commands import anthropic_key_hint
from server.core.errors import (
    ApiKeyRefused,
    BackendError,
    BudgetReached,
    CliNotFound,
    DragomanError,
    InvalidRequest,
    NotSignedIn,
    PlanLimitReached,
)
from server.core.messages import Events, MessagesRequest
from server.models.info import ModelInfo

log = logging.getLogger(__name__)

MAX_PLAN_PAUSE = 300.0
"""Seconds after which a used-up plan is tried again, however late it resets: it may have been raised."""


def store_hint() -> str:
    """Hint that a stored key would let the API serve."""
    where = anthropic_key_hint()
    return f"Or store an Anthropic API key of your own {where}: the Anthropic API then answers, and bills that key."


class RoutedBackend:
    """Serves with Claude Code; the API is the `fallback` if a key is stored.

    Where Claude Code could not begin, it is not tried again at once: its breaker sends the next requests to the API
    directly.
    """

    def __init__(
        self,
        cli: Backend,
        api: AnthropicApiBackend,
        *,
        fallback: bool,
        on_plan_limit: bool,
        budget: ApiBudget | None = None,
    ) -> None:
        self.name = cli.name
        self.cli = cli
        self.api = api
        self.guarded_api = GuardedApi(api, budget)
        self._fallback = fallback
        self._on_plan_limit = on_plan_limit
        self._breakers: dict[str, CircuitBreaker] = {}
        """By model for a used-up plan, which may be that of one model; under "" for Claude Code as a whole."""
        self._failures: dict[str, BackendError] = {}
        """The error that opened each breaker."""

    def configure(self, *, fallback: bool, on_plan_limit: bool) -> None:
        """Change when the API serves later requests."""
        self._fallback = fallback
        self._on_plan_limit = on_plan_limit

    async def start(self) -> None:
        """Start both backends."""
        await self.cli.start()
        await self.api.start()

    async def stop(self) -> None:
        """Stop both backends."""
        try:
            await self.api.stop()
            await self.guarded_api.stop()
        finally:
            await self.cli.stop()

    def models(self) -> tuple[ModelInfo, ...]:
        """Models of Claude Code, or of the API while only that can serve."""
        return self.cli.models() or (self.api.models() if self.replaces_cli else ())

    def status(self) -> BackendStatus:
        """Status of Claude Code, and whether the API serves in its place."""
        status = self.cli.status()
        stands_in = self.replaces_cli and not status.ready
        detail = "The Anthropic API answers with the stored API key." if stands_in else ""
        facts = {**status.facts, "anthropic_api": {**self.api.status().facts, "fallback": self._fallback}}
        return BackendStatus(status.ready or stands_in, f"{status.detail} {detail}".strip(), facts)

    async def stream(self, request: MessagesRequest) -> Events:
        """Serve `request`. If the API serves it, a `routed_event` comes first."""
        if request.api_only is not None or request.by_api:
            reason = await self._require_api(request)
            async with aclosing(self._stream_api(request, reason)) as events:
                async for event in events:
                    yield event
            return
        failure = self._known_failure(request.model)
        if failure is None:
            begun = False
            try:
                async with aclosing(self.cli.stream(request)) as events:
                    async for event in events:
                        if not begun:
                            begun = True
                            self._close_breakers(request.model)
                        yield event
                return
            except BackendError as error:
                if begun or not await self._should_fall_back(error):
                    raise
                failure = error
                self._open_breaker(error, request.model)
        try:
            async with aclosing(self._stream_api(request, _fallback_reason(failure))) as events:
                async for event in events:
                    yield event
        except BudgetReached as error:
            raise _with_hint(failure, str(error)) from error

    async def _stream_api(self, request: MessagesRequest, reason: str) -> Events:
        warnings = [f"answered by the Anthropic API with your own key, because {reason}"] if reason else []
        async with aclosing(self.guarded_api.stream(request, routed_event(self.api.name, *warnings))) as events:
            async for event in events:
                if event["type"] == ROUTED and reason:
                    log.warning("%s", warnings[0])
                yield event

    async def count_tokens(self, request: MessagesRequest) -> int | None:
        """Count the input tokens by the API, free of charge. None if unavailable."""
        if not self._fallback or not await self.api.has_key():
            return None
        try:
            return await self.api.count_tokens(request)
        except DragomanError as error:
            log.warning("the Anthropic API did not count the tokens: %s", error)
            return None

    @property
    def replaces_cli(self) -> bool:
        """Whether the API serves while Claude Code is missing or signed out."""
        return self._fallback and self.api.has_cached_key

    @property
    def replaces_plan(self) -> bool:
        """Whether the API serves when the plan is used up."""
        return self.replaces_cli and self._on_plan_limit

    async def _require_api(self, request: MessagesRequest) -> str:
        """Why the API serves, empty if the model's name asks for it.

        Raises InvalidRequest for what only the API has, and ApiKeyRefused for `api:`, if the user does not want the
        API to be used.
        """
        if request.api_only is None:
            if not self._fallback:
                raise ApiKeyRefused(
                    "The model's name asks for the Anthropic API, which is switched off.",
                    hint="Switch on the setting anthropic_fallback, or leave out `api:`.",
                )
            return ""
        needs = ", ".join(request.api_only.needs)
        if self._fallback and await self.api.has_key():
            return f"Claude Code does not have {needs}"
        remedy = store_hint() if self._fallback else "Or switch on the setting anthropic_fallback."
        raise InvalidRequest(
            f"{needs}: Claude Code does not have this, only the Anthropic API.",
            param=request.api_only.needs[0],
            hint=f"Leave it out. {remedy}",
        )

    async def _should_fall_back(self, error: BackendError) -> bool:
        """Whether the API serves after this error; adds a hint if only a key is missing."""
        if not self._fallback or not isinstance(error, CliNotFound | NotSignedIn | PlanLimitReached):
            return False
        if isinstance(error, PlanLimitReached):
            return self._on_plan_limit and await self.api.has_key()
        if await self.api.has_key():
            return True
        _with_hint(error, store_hint())
        return False

    def _known_failure(self, model: str) -> BackendError | None:
        """The error for which Claude Code need not be tried; None if it is."""
        if not self.replaces_cli:
            return None
        whole, plan = self._breakers.get(""), self._breakers.get(model)
        # The status follows a new login or program within seconds, sooner than the next try.
        if whole is not None and not self.cli.status().ready and not whole.allows_try():
            return self._failures[""]
        if plan is not None and self._on_plan_limit and not plan.allows_try():
            return self._failures[model]
        return None

    def _open_breaker(self, error: BackendError, model: str) -> None:
        """Leave Claude Code alone for a while."""
        key, pause = "", None
        if isinstance(error, PlanLimitReached):
            key, pause = model, min(error.retry_after or 0.0, MAX_PLAN_PAUSE)
        self._breakers.setdefault(key, CircuitBreaker(threshold=1)).record_failure(pause)
        self._failures[key] = error

    def _close_breakers(self, model: str) -> None:
        for key in ("", model):
            self._breakers.pop(key, None)


def _fallback_reason(error: BackendError) -> str:
    match error:
        case CliNotFound():
            return "Claude Code cannot be run"
        case NotSignedIn():
            return "Claude Code is not signed in"
    return "the limit of your Claude plan is reached"


def _with_hint(error: BackendError, hint: str) -> BackendError:
    # Several requests may have waited for one process, whose failed start raises the same error in each.
    if hint not in error.hint:
        error.hint = f"{error.hint} {hint}".strip()
    return error
