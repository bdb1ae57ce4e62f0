"""Server tools that a request can do without: where the API refuses one, the answer begins again without it.

Codex sends a search of the web with every request. Plans, regions and models differ in whether they have it, and say so
only by an error.
"""

import logging
import re
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import aclosing
from dataclasses import dataclass

from server.backends.base import routed_event
from server.core.errors import AccountRefused, DragomanError, InvalidRequest
from server.core.messages import Events, MessagesRequest, native_tool_names

log = logging.getLogger(__name__)

FORGET_AFTER_SECONDS = 6 * 3600.0
"""Time after which a refused tool is offered again: plans and permissions change."""


class RefusedTools:
    """The tools that the API has refused, by account and model. In memory.

    `clock` gives monotonic seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._refused: dict[tuple[str, str, str], float] = {}

    def note_refusal(self, account: str, model: str, tools: Iterable[str]) -> None:
        """Remember that an account's model does not have these tools."""
        now = self._clock()
        self._refused = {key: at for key, at in self._refused.items() if now - at < FORGET_AFTER_SECONDS}
        self._refused |= {(account, model, tool): now for tool in tools}

    def known_among(self, account: str, model: str, tools: Iterable[str]) -> frozenset[str]:
        """The tools that were refused lately."""
        now = self._clock()
        known = {key for key, at in self._refused.items() if now - at < FORGET_AFTER_SECONDS}
        return frozenset(tool for tool in tools if (account, model, tool) in known)


@dataclass(frozen=True, slots=True)
class Answering:
    """The backend that answers, a key for its account, and warnings that it has for the client anyway."""

    backend: str
    account: str
    warnings: Sequence[str] = ()


async def stream_with_optional_tools(
    serve: Callable[[MessagesRequest], Events],
    request: MessagesRequest,
    refused: RefusedTools,
    answering: Answering,
) -> Events:
    """Serve `request`; begin again without the optional tools that the API refuses.

    A `routed_event` with the warnings precedes the first event if there are any.
    """
    account = answering.account
    left_out = refused.known_among(account, request.model, _optional_tools(request))
    while True:
        begun = False
        try:
            async with aclosing(serve(_without_tools(request, left_out))) as events:
                async for event in events:
                    # Not earlier: until an answer begins, another backend may still take over.
                    if not begun and (warnings := [*answering.warnings, *_describe(left_out)]):
                        yield routed_event(answering.backend, *warnings)
                    begun = True
                    yield event
            return
        except (InvalidRequest, AccountRefused) as error:
            named = frozenset() if begun else _named_tools(error, _optional_tools(request) - left_out)
            if not named:
                raise
            log.warning("the API refused %s, which is left out for some hours: %s", ", ".join(sorted(named)), error)
            refused.note_refusal(account, request.model, named)
            left_out |= named


def _optional_tools(request: MessagesRequest) -> frozenset[str]:
    return request.optional_tools & native_tool_names(request.tools)


def _named_tools(error: DragomanError, tools: frozenset[str]) -> frozenset[str]:
    """The tools that the error names: `web_search`, `web search`, `Web-Search`."""
    return frozenset(name for name in tools if re.search(re.sub("_", "[ _-]?", name), error.message, re.I))


def _without_tools(request: MessagesRequest, names: frozenset[str]) -> MessagesRequest:
    if not names:
        return request
    tools = [tool for tool in request.tools if not ("type" in tool and tool.get("name") in names)]
    return request.with_changes(tools=tools, tool_choice=request.tool_choice if tools else None)


def _describe(tools: frozenset[str]) -> list[str]:
    return [f"{name} is refused by the API for this account or model and was left out" for name in sorted(tools)]
