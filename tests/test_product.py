"""The product under the runtime: what a client sees of a start and a stop."""

import asyncio
import json
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from server.backends.base import BackendStatus
from server.composition import Server
from server.config.settings import Settings
from server.core.events import EventBus
from server.core.messages import Events, MessagesRequest
from server.hosting.runtime import Runtime
from server.models.info import ModelInfo
from server.secrets import KeyStore
from server.secrets.vaults import MemoryVault

START = {"id": "msg_1", "type": "message", "role": "assistant", "model": "m", "content": [], "usage": {}}


class Endless:
    """A backend that begins an answer and never ends it; `closed` is set when its stream is."""

    name = "endless"

    def __init__(self) -> None:
        self.closed = asyncio.Event()

    async def stream(self, request: MessagesRequest) -> Events:
        try:
            yield {"type": "message_start", "message": START}
            yield {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}}
            yield {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "Once"}}
            await asyncio.Event().wait()
        finally:
            self.closed.set()

    def models(self) -> tuple[ModelInfo, ...]:
        return (ModelInfo(id="claude-haiku-5-5", is_default=True),)

    def status(self) -> BackendStatus:
        return BackendStatus(ready=True)

    async def start(self) -> None:
        pass

    async def stop(self) -> None:
        pass


async def post(url: str, path: str, body: dict[str, Any]) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    address = urlsplit(url)
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    content = json.dumps(body).encode()
    head = f"POST {path} HTTP/1.1\r\nhost: {address.netloc}\r\ncontent-length: {len(content)}\r\n"
    writer.write(f"{head}content-type: application/json\r\nconnection: close\r\n\r\n".encode() + content)
    return reader, writer


async def test_a_stop_tells_the_clients_of_running_streams(tmp_path: Path) -> None:
    backend = Endless()

    async def host(settings: Settings, bus: EventBus) -> Server:
        return await Server.create(settings, bus, backend=backend)

    settings = Settings(port=0, data_dir=tmp_path / "data", key_storage="memory", api_key_required=False)
    runtime = Runtime(settings, bus=EventBus(), host=host)
    await runtime.start()
    assert runtime.url is not None
    messages = [{"role": "user", "content": "Tell me a story."}]
    body = {"model": "claude-haiku-5-5", "stream": True, "messages": messages}
    reader, writer = await post(runtime.url, "/v1/chat/completions", body)
    try:
        async with asyncio.timeout(60):
            await reader.readuntil(b"Once")
            await runtime.stop()
            rest = await reader.read()
    finally:
        writer.close()
        await writer.wait_closed()
    assert b"being stopped" in rest
    assert b"[DONE]" not in rest
    assert backend.closed.is_set()


async def test_the_key_outlives_a_restart(tmp_path: Path) -> None:
    """The key survives in memory too: the server's host keeps the store of secrets."""
    key_store = KeyStore(MemoryVault())
    settings = Settings(port=0, data_dir=tmp_path / "data", claude_path=tmp_path / "none")
    key = await key_store.get_or_create()

    async def host(settings: Settings, bus: EventBus) -> Server:
        return await Server.create(settings, bus, key_store=key_store)

    runtime = Runtime(settings, bus=EventBus(), host=host)
    await runtime.start()
    await runtime.stop()
    await runtime.start()
    assert isinstance(runtime.hosted, Server)
    assert runtime.hosted.services.key_store.matches(key)
    await runtime.stop()
