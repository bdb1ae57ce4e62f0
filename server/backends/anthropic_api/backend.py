"""The Anthropic API as a `Backend`."""

import asyncio
import functools
import hashlib
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import aclosing, suppress
from typing import Any, cast

import httpx2
import orjson

from server import __version__
from server.backends.anthropic_api.body import build_count_body, build_headers, build_messages_body
from server.backends.anthropic_api.failures import event_error, key_hint, response_error, transport_error, was_cut
from server.backends.anthropic_api.models import MODELS, find_model
from server.backends.base import BackendStatus, stopping_error
from server.backends.optional_tools import Answering, RefusedTools, stream_with_optional_tools
from server.backends.paused_answers import stream_past_pauses
from server.core import exact_json
from server.core.errors import ApiKeyRefused, SetupError, UpstreamFailed
from server.core.messages import Events, MessagesRequest
from server.models import Capabilities, capabilities_of
from server.models.info import ModelInfo
from server.secrets import KeyStore
from server.secrets.anthropic_key import ANTHROPIC_API_KEY, checked_anthropic_key

log = logging.getLogger(__name__)

API_VERSION = "2023-06-01"
USER_AGENT = f"dragoman/{__version__}"
MAX_EVENT_BYTES = 32 * 1024 * 1024

# The API pings a silent stream, and clients have deadlines of their own.
_STREAM_TIMEOUT = httpx2.Timeout(600.0, connect=15.0)
_END_SECONDS = 1.0
_COUNT_TIMEOUT = httpx2.Timeout(15.0)
_LIMITS = httpx2.Limits(max_connections=None, max_keepalive_connections=8)


class AnthropicApiBackend:
    """Serves requests with the stored key.

    `listed` returns Claude Code's list of models, which resolves short names; it may be empty.
    """

    name = "anthropic_api"

    def __init__(
        self, base_url: str, key_store: KeyStore, listed: Callable[[], tuple[ModelInfo, ...]] = lambda: ()
    ) -> None:
        self._base_url = base_url
        self._key_store = key_store
        self._listed = listed
        self._client: httpx2.AsyncClient | None = None
        self._stopped = False
        self._refused_tools = RefusedTools()

    def configure(self, base_url: str) -> None:
        """Change the API's address for later calls."""
        self._base_url = base_url

    async def start(self) -> None:
        """Read the key, so that `has_cached_key` is known."""
        await self.has_key()

    async def stop(self) -> None:
        """Close every connection."""
        self._stopped = True
        if self._client is not None:
            await self._client.aclose()

    @property
    def has_cached_key(self) -> bool:
        """Whether a key was stored when it was last read."""
        return self._key_store.cached(ANTHROPIC_API_KEY) is not None

    async def has_key(self) -> bool:
        """Whether a key is stored. Unreadable storage counts as empty."""
        try:
            return await self._key_store.get(ANTHROPIC_API_KEY) is not None
        except SetupError as error:
            log.warning("the Anthropic API key cannot be read: %s", error)
            return False

    def models(self) -> tuple[ModelInfo, ...]:
        """Models of the short names; the API accepts others too."""
        return MODELS

    def status(self) -> BackendStatus:
        """Whether a key is stored. The API is not asked whether it is valid."""
        detail = "An Anthropic API key is stored." if self.has_cached_key else "No Anthropic API key is stored."
        return BackendStatus(
            self.has_cached_key, detail, {"key_stored": self.has_cached_key, "base_url": self._base_url}
        )

    async def stream(self, request: MessagesRequest) -> Events:
        """Serve `request`, without optional tools that the API refuses."""
        key = self._key_store.cached(ANTHROPIC_API_KEY) or ""
        account = hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()
        serve = functools.partial(stream_past_pauses, self._serve)
        stream = stream_with_optional_tools(serve, request, self._refused_tools, Answering(self.name, account))
        async with aclosing(stream) as events:
            async for event in events:
                yield event

    async def _serve(self, request: MessagesRequest) -> Events:
        """Serve `request`. A connection cut before the first event is retried once."""
        headers = {**await self._build_headers(), **build_headers(request)}
        content = exact_json.dumps(build_messages_body(request, self.find_capabilities(request.model)))
        for attempt in (1, 2):
            begun = False
            try:
                async with aclosing(self._stream_once(headers, content)) as events:
                    async for event in events:
                        begun = True
                        yield event
                return
            except httpx2.HTTPError as error:
                if begun or attempt > 1 or not was_cut(error):
                    raise transport_error(error) from None
                log.warning("the connection to the Anthropic API was cut; retrying: %s", type(error).__name__)

    async def count_tokens(self, request: MessagesRequest) -> int:
        """Count the input tokens of `request` by the API. Raises as `stream`."""
        headers = {**await self._build_headers(), **build_headers(request)}
        content = exact_json.dumps(build_count_body(request, self.find_capabilities(request.model)))
        url = f"{self._base_url}/v1/messages/count_tokens"
        try:
            response = await self._open_client().post(url, content=content, headers=headers, timeout=_COUNT_TIMEOUT)
        except httpx2.HTTPError as error:
            raise transport_error(error) from None
        if response.status_code != 200:
            raise response_error(response.status_code, response.headers, response.content)
        counted = _parse_object(response.content).get("input_tokens")
        if not isinstance(counted, int):
            raise UpstreamFailed("The Anthropic API sent an unreadable count.")
        return counted

    async def _stream_once(self, headers: dict[str, str], content: bytes) -> Events:
        """Stream one attempt. Also raises httpx2.HTTPError."""
        url = f"{self._base_url}/v1/messages"
        async with self._open_client().stream("POST", url, content=content, headers=headers) as response:
            if response.status_code != 200:
                raise response_error(response.status_code, response.headers, await response.aread())
            source = aiter(httpx2.EventSource(response, max_event_size=MAX_EVENT_BYTES))
            async with aclosing(cast(AsyncGenerator[httpx2.ServerSentEvent, None], source)) as lines:
                async for line in lines:
                    event = _parse_object(line.data.encode())
                    if event.get("type") == "error":
                        raise event_error(event)
                    yield event
                    if event.get("type") == "message_stop":
                        await _drain_stream(lines)
                        return
        raise httpx2.RemoteProtocolError("the stream ended before its message")

    def find_capabilities(self, model: str) -> Capabilities:
        """The capabilities of a model by short name or id; their `model` is its id."""
        info = find_model(model, self._listed())
        return capabilities_of(info.id, info)

    async def _build_headers(self, betas: Sequence[str] = ()) -> dict[str, str]:
        return {
            "x-api-key": await self._read_key(),
            "anthropic-version": API_VERSION,
            "content-type": "application/json",
            "user-agent": USER_AGENT,
            **({"anthropic-beta": ",".join(betas)} if betas else {}),
        }

    async def _read_key(self) -> str:
        try:
            # Storage can be edited by hand, and httpx2 would quote a key with a line break in its error.
            return checked_anthropic_key(await self._key_store.get(ANTHROPIC_API_KEY) or "")
        except SetupError as error:
            raise ApiKeyRefused(f"There is no Anthropic API key to use: {error.message}", hint=key_hint()) from None

    def _open_client(self) -> httpx2.AsyncClient:
        """Return the client, created late because loading certificates is slow."""
        if self._stopped:
            raise stopping_error()
        if self._client is None:
            # Redirects are not followed: they could lead the key elsewhere.
            self._client = httpx2.AsyncClient(timeout=_STREAM_TIMEOUT, limits=_LIMITS, follow_redirects=False)
        return self._client


async def _drain_stream(lines: AsyncIterator[httpx2.ServerSentEvent]) -> None:
    """Read the rest of a complete stream, so that its connection can be reused."""
    with suppress(httpx2.HTTPError, TimeoutError):
        async with asyncio.timeout(_END_SECONDS):
            async for _ in lines:
                pass


def _parse_object(data: bytes) -> dict[str, Any]:
    try:
        value = orjson.loads(data)
    except orjson.JSONDecodeError:
        value = None
    if not isinstance(value, dict):
        raise UpstreamFailed("The Anthropic API sent an unreadable response.")
    return value
