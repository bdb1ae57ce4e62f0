"""The composition root: the server, made of its parts, and its start, stop and reconfiguration."""

import asyncio
import logging
import os
import time
from collections.abc import Callable
from contextlib import AsyncExitStack
from datetime import datetime
from typing import Any, Self

from server.api.exchange.images import ImageFetcher
from server.api.middleware.rate_limit import RequestLimits
from server.api.services import Services
from server.backends.anthropic_api import AnthropicApiBackend
from server.backends.base import Backend, stopping_error
from server.backends.budget import ApiBudget, BudgetLimits, Ledger
from server.backends.claude_cli.backend import ClaudeCliBackend, CliConfig
from server.backends.claude_cli.pool.pool import PoolLimits
from server.backends.routing import RoutedBackend
from server.config.paths import CLI_DIRECTORY, DATABASE_FILE, make_private_dir
from server.config.settings import Settings
from server.config.settings_in_force import SettingsInForce
from server.core.errors import DatabaseUnusable, SetupError
from server.core.events import EventBus
from server.core.tasks import spawn
from server.secrets import KeyStore, open_key_store
from server.store.store import Store
from server.store.usage import UsageFilter
from server.tracing import RequestTracing, open_tracing

log = logging.getLogger(__name__)


class Server:
    """The server that the runtime hosts: its services and the web application over them.

    A store that is passed in belongs to the caller, who opens, purges and closes it.
    """

    def __init__(
        self,
        in_force: SettingsInForce,
        bus: EventBus,
        *,
        key_store: KeyStore,
        backend: Backend | None = None,
        store: Store | None = None,
    ) -> None:
        from server.app import create_app  # FastAPI loads slowly; the window appears before it

        settings = in_force.current
        self.services = Services(
            in_force=in_force,
            bus=bus,
            backend=backend or _make_backend(settings, bus, key_store, ledger=lambda: self.services.store),
            key_store=key_store,
            images=ImageFetcher() if settings.fetch_images else None,
            opened_store=store,
        )
        self.app: Any = create_app(self.services)
        self._owns_store = store is None
        self._purging: list[asyncio.Task[None]] = []
        self._unused_images: ImageFetcher | None = None
        self._tracing: RequestTracing | None = None
        self._unsubscribe: Callable[[], None] = lambda: None

    @classmethod
    async def create(
        cls, in_force: SettingsInForce, bus: EventBus, *, key_store: KeyStore | None = None, **parts: Any
    ) -> Self:
        """Create the server without starting it; `parts` as in the constructor. Raises SetupError."""
        return cls(in_force, bus, key_store=key_store or await open_key_store(in_force.current), **parts)

    @property
    def cli(self) -> ClaudeCliBackend | None:
        """The Claude Code backend, whose processes and account the window shows; None if another backend serves."""
        backend = self.services.backend
        backend = backend.cli if isinstance(backend, RoutedBackend) else backend
        return backend if isinstance(backend, ClaudeCliBackend) else None

    async def start(self) -> None:
        """Open the store, start the backend and the purging of expired rows. Raises SetupError.

        Of a store of the caller's only the expiry is set.
        """
        services = self.services
        services.started_at, services.started_monotonic = services.clock(), services.monotonic()
        self._tracing = open_tracing(services.bus, services.settings.otlp_endpoint)
        store = await self._begin_store()
        try:
            if services.settings.api_key_required:
                await services.key_store.get_or_create()
            await self._begin_client_keys(store)
            await self._read_sealing_key()
            await services.backend.start()
        except BaseException:
            self._unsubscribe()
            if self._owns_store:
                await store.close()
            raise
        stores = (store, services.memory_store) if self._owns_store else (services.memory_store,)
        self._purging = [spawn(purged.run_purge(), name="purge") for purged in stores]

    async def _read_sealing_key(self) -> None:
        """Read the stored key. Without it seals open until the next start only, which harms no conversation."""
        try:
            self.services.sealing_key = await self.services.key_store.get_or_create_sealing_key()
        except SetupError as error:
            log.warning("reasoning that clients keep can be read until the next start only: %s", error.message)

    async def _begin_store(self) -> Store:
        services = self.services
        if self._owns_store:
            services.opened_store = await open_store(services.settings, services.bus, services.clock)
        services.store.set_ttl(services.settings.session_ttl_seconds)
        return services.store

    async def _begin_client_keys(self, store: Store) -> None:
        """Count what client keys use, beginning with what the store knows of today."""
        services = self.services
        today = datetime.fromtimestamp(services.clock()).date()
        services.key_ledger.load_sums(await store.usage_by_key(UsageFilter(since=today)))
        self._unsubscribe = services.bus.subscribe(services.key_ledger.receive_event)

    async def reconfigure(self, settings: Settings) -> None:
        """Put other settings in force; running requests finish under the old ones.

        The counts of the rate limit are kept while `rate_limit` is unchanged. The address and the log level are changed
        elsewhere; `data_dir`, `config_dir` and `key_storage` take effect at the next start. Raises SetupError if an API
        key is now required and cannot be read or stored; nothing has changed then.
        """
        from server.app import create_app, guards_differ

        services = self.services
        if settings.api_key_required and not services.settings.api_key_required:
            await services.key_store.get_or_create()
        before, services.in_force.current = services.settings, settings
        services.store.set_ttl(settings.session_ttl_seconds)
        services.memory_store.set_ttl(settings.session_ttl_seconds)
        if settings.history and not before.history:
            # They are not looked for there any more.
            spawn(services.memory_store.clear(), name="clear the answers in memory")
        if settings.rate_limit != before.rate_limit:
            services.request_limits = RequestLimits(settings.rate_limit)
        if settings.fetch_images != before.fetch_images:
            self._switch_images(settings.fetch_images)
        if settings.otlp_endpoint != before.otlp_endpoint:
            await self._switch_tracing(settings.otlp_endpoint)
        _configure_backend(services.backend, settings)
        if guards_differ(before, settings):
            self.app = create_app(services)

    def _switch_images(self, fetch: bool) -> None:
        # A running request may still use the old fetcher, so it is closed when the server stops.
        services = self.services
        services.images, self._unused_images = self._unused_images, services.images
        if fetch and services.images is None:
            services.images = ImageFetcher()

    async def _switch_tracing(self, endpoint: str) -> None:
        tracing, self._tracing = self._tracing, open_tracing(self.services.bus, endpoint)
        if tracing is not None:
            spawn(tracing.close(), name="export the last traces")

    async def finish_requests(self) -> None:
        """Refuse new requests, and return when the last one has ended."""
        await self.services.running.finish_all()

    def cancel_requests(self) -> None:
        """Cancel all running requests."""
        self.services.running.stop_all()

    async def stop(self) -> None:
        """Cancel all requests, stop the backend and close the store; answers are saved. May be called twice.

        A store of the caller's stays open; all writes to it are done.
        """
        services = self.services
        for purging in self._purging:
            purging.cancel()
        if self._purging:
            await asyncio.wait(self._purging)
        self.cancel_requests()
        services.refusals.flush_counts()
        self._unsubscribe()
        async with AsyncExitStack() as stack:
            if self._tracing is not None:
                stack.push_async_callback(self._tracing.close)
            stack.push_async_callback(services.memory_store.close)
            if services.opened_store is not None and self._owns_store:
                stack.push_async_callback(services.opened_store.close)
            stack.push_async_callback(services.writes.wait_for_writes)
            stack.push_async_callback(services.background.stop_runs, stopping_error())
            for images in (services.images, self._unused_images):
                if images is not None:
                    stack.push_async_callback(images.close)
            stack.push_async_callback(services.backend.stop)


async def open_store(settings: Settings, bus: EventBus, clock: Callable[[], float] = time.time) -> Store:
    """Open the store in `data_dir`. Raises DatabaseTooNew and DatabaseUnusable."""
    path = settings.data_dir / DATABASE_FILE
    try:
        make_private_dir(settings.data_dir)
    except OSError as error:
        reason = error.strerror or str(error)
        raise DatabaseUnusable(
            f"The database {path} cannot be opened: its directory cannot be created ({reason}).",
            hint="Correct the permissions of that directory or make room on the disk, then start the server again.",
        ) from error
    return await Store.open(path, bus=bus, clock=clock, ttl_seconds=settings.session_ttl_seconds)


def _make_backend(
    settings: Settings, bus: EventBus, key_store: KeyStore, ledger: Callable[[], Ledger]
) -> RoutedBackend:
    """Make the backend: Claude Code, and the Anthropic API for when it cannot serve."""
    cli = ClaudeCliBackend(_cli_config(settings), bus)
    api = AnthropicApiBackend(settings.anthropic_base_url, key_store, listed=cli.models)
    return RoutedBackend(
        cli,
        api,
        fallback=settings.anthropic_fallback,
        on_plan_limit=settings.fallback_on_plan_limit,
        budget=ApiBudget(_budget_limits(settings), bus, ledger),
    )


def _budget_limits(settings: Settings) -> BudgetLimits:
    return BudgetLimits(settings.api_usd_a_day or None, settings.api_usd_a_month or None)


def _configure_backend(backend: Backend, settings: Settings) -> None:
    """Pass the settings to the backend of `_make_backend`; other backends have none."""
    if isinstance(backend, RoutedBackend):
        backend.configure(fallback=settings.anthropic_fallback, on_plan_limit=settings.fallback_on_plan_limit)
        backend.api.configure(settings.anthropic_base_url)
        if backend.guarded_api.budget is not None:
            backend.guarded_api.budget.limits = _budget_limits(settings)
        if isinstance(backend.cli, ClaudeCliBackend):
            backend.cli.configure(_cli_config(settings))


def _cli_config(settings: Settings) -> CliConfig:
    return CliConfig(
        directory=settings.data_dir / CLI_DIRECTORY,
        checks=settings.data_dir,
        outer=os.environ,
        claude_path=settings.claude_path,
        load_user_settings=settings.load_user_settings,
        limits=PoolLimits(
            spares=settings.spares,
            max_conversations=settings.max_conversations,
            max_memory_mb=settings.max_memory_mb,
            idle_seconds=settings.idle_seconds,
            hold_seconds=settings.hold_seconds,
            queue_seconds=settings.queue_seconds,
        ),
    )
