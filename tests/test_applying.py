"""Other settings for the services and the guards of a product that runs."""

import asyncio
from pathlib import Path
from typing import Any

import httpx2
import pytest

from server.app import GUARD_SETTINGS, _guards
from server.backends.claude_cli.backend import ClaudeCliBackend
from server.backends.routing import RoutedBackend
from server.composition import Server
from server.config.settings import Settings
from server.core.errors import SetupError
from server.core.events import EventBus
from server.hosting.runtime import Runtime
from server.secrets import KeyStore
from server.secrets.vaults import MemoryVault
from tests.scripted_backend import ScriptedBackend, answer
from tests.waiting import until

BODY = {"model": "opus", "messages": [{"role": "user", "content": "Hello"}]}
KEY = "dgm-the-key-of-this-test"


class Running:
    """The product with a scripted backend, under the runtime."""

    def __init__(self, tmp_path: Path, **settings: Any) -> None:
        self.backend = ScriptedBackend()
        self.settings = Settings(port=0, data_dir=tmp_path / "data", config_dir=tmp_path / "config", **settings)
        self.runtime = Runtime(self.settings, bus=EventBus(), host=self._host)

    async def _host(self, settings: Settings, bus: EventBus) -> Server:
        key_store = KeyStore(MemoryVault(), fixed_key=KEY)
        return await Server.create(settings, bus, key_store=key_store, backend=self.backend)

    @property
    def product(self) -> Server:
        assert isinstance(self.runtime.hosted, Server)
        return self.runtime.hosted

    async def change(self, **changes: Any) -> None:
        await self.runtime.reconfigure(self.runtime.settings.model_copy(update=changes))

    async def status(self, **headers: str) -> int:
        """Ask the model something."""
        self.backend.script(answer("Hi"))
        async with httpx2.AsyncClient(base_url=str(self.runtime.url), timeout=60) as client:
            response = await client.post("/v1/chat/completions", json=BODY, headers=headers)
            return int(response.status_code)


WITH_KEY = {"authorization": f"Bearer {KEY}"}


async def test_whether_a_key_is_required(tmp_path: Path) -> None:
    running = Running(tmp_path)
    await running.runtime.start()
    assert await running.status() == 401
    await running.change(api_key_required=False)
    assert await running.status() == 200
    await running.change(api_key_required=True)
    assert (await running.status(), await running.status(**WITH_KEY)) == (401, 200)
    await running.runtime.stop()


async def test_no_request_fails_while_the_guards_are_made_anew(tmp_path: Path) -> None:
    running = Running(tmp_path, api_key_required=False)
    await running.runtime.start()
    changed = asyncio.Event()
    statuses: list[int] = []

    async def ask(client: httpx2.AsyncClient, headers: dict[str, str]) -> None:
        while not changed.is_set():
            running.backend.script(answer("Hi"))
            response = await client.post("/v1/chat/completions", json={**BODY, "stream": True}, headers=headers)
            assert response.text.rstrip().endswith("[DONE]")
            statuses.append(response.status_code)

    async with httpx2.AsyncClient(base_url=str(running.runtime.url), timeout=60) as client:
        asking = [asyncio.create_task(ask(client, headers)) for headers in ({}, {"connection": "close"})]
        for number in range(20):
            seen = len(statuses)
            await running.change(max_body_bytes=100_000 + number, session_ttl_hours=1 + number)
            await until(lambda seen=seen: len(statuses) > seen + 2 or any(task.done() for task in asking))
        changed.set()
        await asyncio.gather(*asking)
    assert set(statuses) == {200}
    await running.runtime.stop()


async def test_hosts_and_the_size_of_bodies(tmp_path: Path) -> None:
    running = Running(tmp_path, api_key_required=False)
    await running.runtime.start()
    assert await running.status(host="box.example") == 403
    await running.change(allowed_hosts=("box.example",))
    assert await running.status(host="box.example") == 200
    assert await running.status(**{"x-long": "x" * 3000}) == 200
    await running.change(max_header_bytes=2048)
    assert await running.status(**{"x-long": "x" * 3000}) == 431
    await running.runtime.stop()


async def test_what_was_counted_stays_counted_until_the_limit_is_another_one(tmp_path: Path) -> None:
    running = Running(tmp_path, api_key_required=False, rate_limit="2/hour")
    await running.runtime.start()
    assert await running.status() == 200
    await running.change(allowed_hosts=("box.example",))
    assert await running.status() == 200
    assert await running.status() == 429
    await running.change(rate_limit="3/hour")
    assert await running.status() == 200
    await running.change(rate_limit="")
    assert await running.status() == 200
    await running.runtime.stop()


async def test_the_application_stays_where_the_guards_are_the_same(tmp_path: Path) -> None:
    running = Running(tmp_path)
    await running.runtime.start()
    before = running.product.app
    await running.change(log_level="debug", spares=3, aliases={"gpt-5": "opus"})
    assert running.product.app is before
    assert running.product.services.settings.aliases == {"gpt-5": "opus"}
    await running.change(max_body_bytes=4096)
    assert running.product.app is not before
    await running.runtime.stop()


async def test_how_long_things_are_kept(tmp_path: Path) -> None:
    running = Running(tmp_path)
    await running.runtime.start()
    for hours, seconds in ((1, 3600), (None, None)):
        await running.change(session_ttl_hours=hours)
        assert running.product.services.store.ttl_seconds == seconds
    await running.runtime.stop()


async def test_images_are_fetched_from_the_moment_on_when_it_is_allowed(tmp_path: Path) -> None:
    running = Running(tmp_path)
    await running.runtime.start()
    services = running.product.services
    await running.change(fetch_images=True)
    fetcher = services.images
    assert fetcher is not None
    await running.change(fetch_images=False)
    assert services.images is None
    await running.change(fetch_images=True)
    assert services.images is fetcher
    await running.runtime.stop()


async def test_a_key_that_cannot_be_had_changes_nothing(tmp_path: Path) -> None:
    running = Running(tmp_path, api_key_required=False)
    await running.runtime.start()

    async def refuse() -> str:
        raise SetupError("The keyring is locked.")

    running.product.services.key_store.get_or_create = refuse  # type: ignore[method-assign]
    before, app = running.product.services.settings, running.product.app
    with pytest.raises(SetupError):
        await running.change(api_key_required=True, rate_limit="1/hour")
    assert (running.product.services.settings, running.product.app) == (before, app)
    assert (await running.status(), await running.status()) == (200, 200)
    await running.runtime.stop()


async def test_the_backends_are_told(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path / "data", claude_path=tmp_path / "none")
    server = await Server.create(settings, EventBus(), key_store=KeyStore(MemoryVault()))
    await server.start()
    backend = server.services.backend
    assert isinstance(backend, RoutedBackend)
    assert isinstance(backend.cli, ClaudeCliBackend)
    await server.apply(
        settings.model_copy(
            update={
                "anthropic_fallback": False,
                "anthropic_base_url": "https://api.example",
                "max_conversations": 3,
                "hold_seconds": 7.0,
            }
        )
    )
    facts = backend.status().facts["anthropic_api"]
    assert (facts["fallback"], facts["base_url"]) == (False, "https://api.example")
    limits = backend.cli.pool.limits
    assert (limits.max_conversations, limits.hold_seconds) == (3, 7.0)
    await server.stop()


async def test_the_guards_are_made_of_the_settings_that_are_said(tmp_path: Path) -> None:
    """Those that are not named there would hold for a new application only."""
    running = Running(tmp_path)
    await running.runtime.start()
    services = running.product.services
    read: set[str] = set()

    class Recording:
        def __getattr__(self, name: str) -> Any:
            read.add(name)
            return getattr(running.settings, name)

    services.settings = Recording()  # type: ignore[assignment]
    _guards(services)
    services.settings = running.settings
    # The rate limit has reached the services at this point.
    assert read | {"rate_limit"} == set(GUARD_SETTINGS)
    await running.runtime.stop()
