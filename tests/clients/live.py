"""The whole product on a real socket: the server, Claude Code behind it, the scripted Messages API behind that."""

import functools
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Any

import anthropic
import httpx2
import openai
import psutil

from server.api.services import Services
from server.backends.claude_cli.backend import ClaudeCliBackend
from server.composition import Server
from server.config.settings import Settings
from server.config.settings_in_force import SettingsInForce
from server.core.events import EventBus
from server.hosting.runtime import Runtime
from server.secrets import KeyStore
from server.secrets.storage import MemoryStorage
from tests.clients.watching import Watch, WatchedTransport
from tests.simulator import Recorded, Simulator
from tests.waiting import until

KEY = "dgm-the-key-of-this-test"
HELLO = [{"role": "user", "content": "Hello"}]


@dataclass
class Live:
    """A running server, the simulator that it comes to, and clients that are closed at the end of the test."""

    runtime: Runtime
    simulator: Simulator
    stack: AsyncExitStack
    watch: Watch = field(default_factory=Watch)

    @property
    def url(self) -> str:
        assert self.runtime.url is not None
        return self.runtime.url

    @property
    def services(self) -> Services:
        assert isinstance(self.runtime.hosted, Server)
        return self.runtime.hosted.services

    @property
    def backend(self) -> ClaudeCliBackend:
        assert isinstance(self.runtime.hosted, Server)
        assert self.runtime.hosted.cli is not None
        return self.runtime.hosted.cli

    def http(self, key: str | None = KEY, **options: Any) -> httpx2.AsyncClient:
        """A plain client."""
        headers = {"authorization": f"Bearer {key}"} if key else {}
        client = httpx2.AsyncClient(
            base_url=self.url, headers=headers, timeout=60, transport=WatchedTransport(self.watch), **options
        )
        self.stack.push_async_callback(client.aclose)
        return client

    def openai(self, **options: Any) -> openai.AsyncOpenAI:
        return openai.AsyncOpenAI(base_url=f"{self.url}/v1", **self._client_options(options))

    def anthropic(self, **options: Any) -> anthropic.AsyncAnthropic:
        return anthropic.AsyncAnthropic(base_url=self.url, **self._client_options(options))

    def _client_options(self, options: dict[str, Any]) -> dict[str, Any]:
        return {"api_key": KEY, "max_retries": 0, "http_client": self.http(key=None), **options}

    def sent(self, at: int = -1) -> Recorded:
        """A call that reached the Messages API, which was answered and not refused."""
        call = self.simulator.messages_calls[at]
        assert call.status == 200, f"the API answered {call.status}"
        return call

    def pids(self, *states: str) -> set[int]:
        """The CLI processes in these states, or all."""
        return {row[0] for row in self.backend.pool.list_processes() if not states or row[1] in states}


async def go_live(stack: AsyncExitStack, simulator: Simulator, **changes: Any) -> Live:
    """Start the product and wait until it knows what the CLI offers."""
    # Where it is not the wait that is tested, a process may take its time to come up for all that are before.
    settings = Settings(**{"port": 0, "spares": 0, "queue_seconds": 600, **changes})
    key_store = KeyStore(MemoryStorage(), fixed_key=KEY)
    runtime = Runtime(
        SettingsInForce(settings), bus=EventBus(), host=functools.partial(Server.create, key_store=key_store)
    )
    await runtime.start()
    stack.push_async_callback(runtime.stop)
    live = Live(runtime, simulator, stack)
    await live.backend.wait_for_probe()
    return live


Serve = Callable[..., Awaitable[Live]]


def exists(pid: int) -> bool:
    """Whether a process runs; one that waits for its parent to notice its end does not."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


async def gone(pids: set[int]) -> None:
    """Wait until these processes have ended."""
    await until(lambda: not any(map(exists, pids)))
