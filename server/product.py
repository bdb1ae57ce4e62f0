"""What the server serves: the application over its services, for the runtime to start and stop."""

from typing import Any

from server.config.settings import Settings
from server.core.events import EventBus
from server.secrets import KeyStore
from server.services import Services, build_services
from server.store.store import Store


class Product:
    """The product as the runtime hosts it. `services` are for the program around it as well."""

    def __init__(self, services: Services) -> None:
        from server.app import create_app

        self.services = services
        self.app: Any = create_app(services)

    async def start(self) -> None:
        await self.services.start()

    async def apply(self, settings: Settings) -> None:
        """See `Services.apply`. The guards know their settings from when they were made: they are made anew."""
        from server.app import create_app, guards_differ

        before = self.services.settings
        await self.services.apply(settings)
        if guards_differ(before, settings):
            self.app = create_app(self.services)

    async def finish(self) -> None:
        await self.services.running.finish()

    def drain(self) -> None:
        self.services.running.stop_all()

    async def stop(self) -> None:
        await self.services.stop()


async def host_product(
    settings: Settings, bus: EventBus, *, key_store: KeyStore | None = None, store: Store | None = None
) -> Product:
    """Put the product together; a key store and an open store that are given stay the caller's. Raises SetupError."""
    return Product(await build_services(settings, bus=bus, key_store=key_store, store=store))
