"""The HTTP side on a real socket, between real clients and a scripted backend."""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import anthropic
import httpx2
import openai
import pytest

from server.api.services import Services
from server.app import create_app
from server.composition import Server
from server.config.settings import Settings
from server.config.settings_in_force import SettingsInForce
from server.core.events import Event, EventBus, RequestFinished
from server.hosting.connections import ConnectionLimits
from server.hosting.http_server import HttpServer
from server.secrets import KeyStore
from server.secrets.storage import MemoryStorage
from tests.scripted_backend import ScriptedBackend

KEY = "dgm-the-key-of-this-test"


@dataclass
class Served:
    """A running server."""

    url: str
    server: Server
    backend: ScriptedBackend
    events: list[Event]
    http: httpx2.AsyncClient
    """A plain HTTP client with the key."""
    stack: AsyncExitStack

    @property
    def services(self) -> Services:
        return self.server.services

    @property
    def port(self) -> int:
        return int(self.url.rpartition(":")[2])

    def openai(self, **options: Any) -> openai.AsyncOpenAI:
        options = {"api_key": KEY, "max_retries": 0, **options}
        client = openai.AsyncOpenAI(base_url=f"{self.url}/v1", **options)
        self.stack.push_async_callback(client.close)
        return client

    def anthropic(self, **options: Any) -> anthropic.AsyncAnthropic:
        options = {"api_key": KEY, "max_retries": 0, **options}
        client = anthropic.AsyncAnthropic(base_url=self.url, **options)
        self.stack.push_async_callback(client.close)
        return client

    async def finished(self, count: int = 1) -> list[RequestFinished]:
        """Wait for `count` ended requests and return their events."""
        seen = asyncio.Event()
        unsubscribe = self.services.bus.subscribe(lambda _: seen.set())
        try:
            while len(ends := [event for event in self.events if isinstance(event, RequestFinished)]) < count:
                seen.clear()
                await seen.wait()
            return ends
        finally:
            unsubscribe()


Serve = Callable[..., Awaitable[Served]]


@pytest.fixture
async def serve(tmp_path: Path) -> AsyncIterator[Serve]:
    """Starts servers: `await serve(rate_limit="2/minute")`, with the arguments of `start_server`."""
    async with AsyncExitStack() as stack:

        async def start(**changes: Any) -> Served:
            return await start_server(stack, tmp_path, **changes)

        yield start


async def start_server(
    stack: AsyncExitStack,
    directory: Path,
    *,
    backend: ScriptedBackend | None = None,
    limits: ConnectionLimits | None = None,
    **changes: Any,
) -> Served:
    """A server that runs until `stack` is closed. `changes` are settings, or fields of Services."""
    fields = {name: changes.pop(name) for name in ("pace", "images", "body_stall_seconds") if name in changes}
    settings = Settings(data_dir=directory / "data", config_dir=directory / "config", **changes)
    bus, backend, events = EventBus(), backend or ScriptedBackend(), list[Event]()
    bus.subscribe(events.append)
    key_store = KeyStore(MemoryStorage(), fixed_key=KEY)
    server = await Server.create(SettingsInForce(settings), bus, key_store=key_store, backend=backend)
    services = server.services
    for name, value in fields.items():
        setattr(services, name, value)
    await server.start()
    stack.push_async_callback(server.stop)
    url = await _listen(stack, services, limits)
    headers = {"authorization": f"Bearer {KEY}"}
    http = await stack.enter_async_context(httpx2.AsyncClient(base_url=url, headers=headers, timeout=60))
    return Served(url, server, backend, events, http, stack)


@pytest.fixture
async def server(serve: Serve) -> Served:
    """A server with the default settings."""
    return await serve()


async def _listen(stack: AsyncExitStack, services: Services, limits: ConnectionLimits | None) -> str:
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    running = HttpServer(create_app(services), services.settings, listener, limits)
    serving = running.run_in_background()

    async def stop() -> None:
        running.stop_listening()
        services.running.stop_all()
        await running.end_serving(serving)

    stack.push_async_callback(stop)
    await running.until_ready(serving)
    return f"http://127.0.0.1:{listener.getsockname()[1]}"
