"""The composition root: what the server is made of, put together in one place."""

import asyncio
import os
import time
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field

from server.api.exchange.images import ImageFetcher
from server.api.exchange.running import RunningRequests
from server.api.exchange.session_turns import SessionTurns
from server.api.exchange.writer import Pace
from server.api.exchange.writing import BackgroundWrites
from server.api.middleware.bodies import STALL_SECONDS
from server.api.middleware.rate_limit import RequestLimits
from server.api.middleware.refusals import RefusalLog
from server.backends.anthropic_api import AnthropicApiBackend
from server.backends.base import Backend
from server.backends.claude_cli.backend import ClaudeCliBackend, CliConfig
from server.backends.claude_cli.pool.pool import Limits
from server.backends.routing import RoutedBackend
from server.config.paths import make_private_dir
from server.config.settings import Settings
from server.core.errors import DatabaseUnusable
from server.core.events import EventBus
from server.core.tasks import spawn
from server.secrets import KeyStore, open_key_store
from server.store.store import Store

DATABASE_FILE = "history.db"
CLI_DIRECTORY = "claude"
"""Where the CLI runs, in the data directory: private and empty."""


@dataclass(slots=True)
class Services:
    """Everything that the endpoints use. `clock` gives epoch seconds, `monotonic` seconds for durations."""

    settings: Settings
    bus: EventBus
    backend: Backend
    key_store: KeyStore
    images: ImageFetcher | None = None
    """None: images given by an address are not fetched."""
    pace: Pace = field(default_factory=Pace)
    body_stall_seconds: float = STALL_SECONDS
    """After so long without a byte of a body that is on its way the request is refused."""
    clock: Callable[[], float] = time.time
    monotonic: Callable[[], float] = time.perf_counter
    running: RunningRequests = field(default_factory=RunningRequests)
    turns: SessionTurns = field(default_factory=SessionTurns)
    writes: BackgroundWrites = field(default_factory=BackgroundWrites)
    started_at: float = 0.0
    """The clock's time then; `uptime` is not that clock's affair, which may be set meanwhile."""
    request_limits: RequestLimits = field(init=False)
    refusals: RefusalLog = field(init=False)
    store_is_callers: bool = False
    """Whether the store belongs to the caller, who opened it, purges it and closes it."""
    _store: Store | None = None
    _purging: asyncio.Task[None] | None = None
    _began: float = 0.0
    _unused_images: ImageFetcher | None = None

    def __post_init__(self) -> None:
        self.request_limits = RequestLimits(self.settings.rate_limit)
        self.refusals = RefusalLog(self)

    @property
    def store(self) -> Store:
        """The store: open from `start` to `stop`, or as long as the caller keeps it open whose it is."""
        if self._store is None:
            raise RuntimeError("the services were not started")
        return self._store

    @property
    def cli(self) -> ClaudeCliBackend | None:
        """Claude Code itself, for those who show its processes and its account; None where others serve."""
        backend = self.backend.cli if isinstance(self.backend, RoutedBackend) else self.backend
        return backend if isinstance(backend, ClaudeCliBackend) else None

    @property
    def uptime(self) -> float:
        """Seconds since the start."""
        return self.monotonic() - self._began

    async def start(self) -> None:
        """Open the store, start the backend and the purging of what has expired. Raises SetupError.

        A store of the caller's is told how long things are kept, and nothing else.
        """
        self.started_at, self._began = self.clock(), self.monotonic()
        store = await self._begin_store()
        try:
            if self.settings.api_key_required:
                await self.key_store.get_or_create()
            await self.backend.start()
        except BaseException:
            if not self.store_is_callers:
                await store.close()
            raise
        if not self.store_is_callers:
            self._purging = spawn(store.run_purge(), name="purge")

    async def _begin_store(self) -> Store:
        if self._store is None or not self.store_is_callers:
            self._store = await open_store(self.settings, self.bus, self.clock)
        else:
            self._store.set_ttl(ttl_seconds(self.settings))
        return self._store

    async def apply(self, settings: Settings) -> None:
        """Go on with other settings; requests that run are finished as they began.

        What they have been counted for stays counted while `rate_limit` is the same. Where the server listens, its
        guards and the log's level are for others to change; `data_dir`, `config_dir` and `key_storage` are taken up by
        the next start. Raises SetupError when the API key that is required from now on cannot be had; nothing has
        changed then.
        """
        if settings.api_key_required and not self.settings.api_key_required:
            await self.key_store.get_or_create()
        before, self.settings = self.settings, settings
        self.store.set_ttl(ttl_seconds(settings))
        if settings.rate_limit != before.rate_limit:
            self.request_limits = RequestLimits(settings.rate_limit)
        if settings.fetch_images != before.fetch_images:
            # A request may be fetching with the one that is given up: it is closed in the end.
            self.images, self._unused_images = self._unused_images, self.images
            if settings.fetch_images and self.images is None:
                self.images = ImageFetcher()
        configure_backend(self.backend, settings)

    async def stop(self) -> None:
        """End all requests, then the backend, then close the store; what was answered is kept. Harmless twice.

        A store of the caller's stays open; it has been given everything that there is to write.
        """
        if self._purging is not None:
            self._purging.cancel()
            await asyncio.wait([self._purging])
        self.running.stop_all()
        self.refusals.flush()
        async with AsyncExitStack() as stack:
            if self._store is not None and not self.store_is_callers:
                stack.push_async_callback(self._store.close)
            stack.push_async_callback(self.writes.settled)
            for images in (self.images, self._unused_images):
                if images is not None:
                    stack.push_async_callback(images.close)
            stack.push_async_callback(self.backend.stop)


async def build_services(
    settings: Settings,
    *,
    bus: EventBus,
    key_store: KeyStore | None = None,
    backend: Backend | None = None,
    store: Store | None = None,
) -> Services:
    """Make everything and start nothing. An open `store` stays the caller's, see `Services`. Raises SetupError."""
    key_store = key_store or await open_key_store(settings)
    return Services(
        settings=settings,
        bus=bus,
        backend=backend or make_backend(settings, bus, key_store),
        key_store=key_store,
        images=ImageFetcher() if settings.fetch_images else None,
        _store=store,
        store_is_callers=store is not None,
    )


async def open_store(settings: Settings, bus: EventBus, clock: Callable[[], float] = time.time) -> Store:
    """The store that the settings name. Raises DatabaseTooNew and DatabaseUnusable."""
    path = settings.data_dir / DATABASE_FILE
    try:
        make_private_dir(settings.data_dir)
    except OSError as error:
        reason = error.strerror or str(error)
        raise DatabaseUnusable(
            f"The database {path} cannot be opened: its directory cannot be made ({reason}).",
            hint="Correct the rights of that directory or make room on the disk, then start the server again.",
        ) from error
    return await Store.open(path, bus=bus, clock=clock, ttl_seconds=ttl_seconds(settings))


def ttl_seconds(settings: Settings) -> float | None:
    """How long sessions and requests are kept, as the store takes it; None: for ever."""
    hours = settings.session_ttl_hours
    return None if hours is None else hours * 3600


def make_backend(settings: Settings, bus: EventBus, key_store: KeyStore) -> RoutedBackend:
    """Claude Code, and the Anthropic API for when it cannot serve."""
    cli = ClaudeCliBackend(_cli_config(settings), bus)
    api = AnthropicApiBackend(settings.anthropic_base_url, key_store, listed=cli.models)
    return RoutedBackend(cli, api, fallback=settings.anthropic_fallback, on_plan_limit=settings.fallback_on_plan_limit)


def configure_backend(backend: Backend, settings: Settings) -> None:
    """Have the backend that `make_backend` made go on with other settings; any other one has none."""
    if isinstance(backend, RoutedBackend):
        backend.configure(fallback=settings.anthropic_fallback, on_plan_limit=settings.fallback_on_plan_limit)
        backend.api.configure(settings.anthropic_base_url)
        if isinstance(backend.cli, ClaudeCliBackend):
            backend.cli.configure(_cli_config(settings))


def _cli_config(settings: Settings) -> CliConfig:
    return CliConfig(
        directory=settings.data_dir / CLI_DIRECTORY,
        outer=os.environ,
        claude_path=settings.claude_path,
        load_user_settings=settings.load_user_settings,
        limits=Limits(
            spares=settings.spares,
            max_conversations=settings.max_conversations,
            max_memory_mb=settings.max_memory_mb,
            idle_seconds=settings.idle_seconds,
            hold_seconds=settings.hold_seconds,
            queue_seconds=settings.queue_seconds,
        ),
    )
