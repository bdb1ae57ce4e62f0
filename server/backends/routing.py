"""Routes requests to Claude Code, or to the Anthropic API if it cannot serve."""

import logging
from contextlib import aclosing

from server.backends.anthropic_api import AnthropicApiBackend
from server.backends.base import Backend, BackendStatus, routed_event
from server.config.own_commands import anthropic_key_hint
from server.core.errors import ApiKeyRefused, BackendError, CliNotFound, DragomanError, NotSignedIn, PlanLimitReached
from server.core.messages import Events, MessagesRequest
from server.models.info import ModelInfo

log = logging.getLogger(__name__)


def store_hint() -> str:
    """Hint that a stored key would let the API serve."""
    where = anthropic_key_hint()
    return f"Or store an Anthropic API key of your own {where}: the Anthropic API then answers, and bills that key."


class RoutedBackend:
    """Serves with Claude Code; the API is the `fallback` if a key is stored.

    Claude Code cannot begin if it is missing or not signed in. A used-up plan counts only with `on_plan_limit`, since
    falling back costs money beyond the plan. The API never takes over an answer that has begun. With
    `fallback` it also serves each request that is `by_api`, since its model's name asks for that.
    """

    def __init__(self, cli: Backend, api: AnthropicApiBackend, *, fallback: bool, on_plan_limit: bool) -> None:
        self.name = cli.name
        self.cli = cli
        self.api = api
        self._fallback = fallback
        self._on_plan_limit = on_plan_limit

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
        if request.by_api:
            self._require_api()
            yield routed_event(self.api.name)
            async with aclosing(self.api.stream(request)) as events:
                async for event in events:
                    yield event
            return
        begun = False
        try:
            async with aclosing(self.cli.stream(request)) as events:
                async for event in events:
                    begun = True
                    yield event
            return
        except BackendError as error:
            if begun or not await self._should_fall_back(error):
                raise
            reason = _fallback_reason(error)
        warning = f"answered by the Anthropic API with your own key, because {reason}"
        log.warning("%s", warning)
        yield routed_event(self.api.name, warning)
        async with aclosing(self.api.stream(request)) as events:
            async for event in events:
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

    def _require_api(self) -> None:
        """Raise ApiKeyRefused if the user does not want the API to be used."""
        if not self._fallback:
            raise ApiKeyRefused(
                "The model's name asks for the Anthropic API, which is switched off.",
                hint="Switch on the setting anthropic_fallback, or leave out `api:`.",
            )

    async def _should_fall_back(self, error: BackendError) -> bool:
        """Whether the API serves after this error; adds a hint if only a key is missing."""
        if not self._fallback or not isinstance(error, CliNotFound | NotSignedIn | PlanLimitReached):
            return False
        if isinstance(error, PlanLimitReached):
            return self._on_plan_limit and await self.api.has_key()
        if await self.api.has_key():
            return True
        # Several requests may have waited for one process, whose failed start raises the same error in each.
        if (hint := store_hint()) not in error.hint:
            error.hint = f"{error.hint} {hint}".strip()
        return False


def _fallback_reason(error: BackendError) -> str:
    match error:
        case CliNotFound():
            return "Claude Code cannot be run"
        case NotSignedIn():
            return "Claude Code is not signed in"
    return "the limit of your Claude plan is reached"
