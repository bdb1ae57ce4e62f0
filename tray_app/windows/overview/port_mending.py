"""What a person can do about a port that cannot be had: take the next free one, or choose one."""

from collections.abc import Callable
from typing import Any

from server.errors import PortUnavailable, TrayError
from server.settings import sources
from tray_app.context import Context
from tray_app.translation import tr
from tray_app.windows.overview.mending import Action


async def port_actions(context: Context, error: PortUnavailable, on_error: Callable[[TrayError], Any]) -> list[Action]:
    """The buttons that mend it. No other port is offered where the command line or the environment says which."""
    from server.port_check import next_free_port

    choose: Action = (tr("Choose a port..."), lambda: context.show("settings", setting="port"))
    if "port" in sources(context.overrides):
        return [choose]
    port = await next_free_port(error.host, error.port)
    if port is None:
        return [choose]

    def use() -> None:
        context.run(use_port(context, port), name=f"use port {port}", on_error=on_error)

    return [(tr("Use {port}").format(port=port), use), choose]


async def use_port(context: Context, port: int) -> None:
    """Have the server listen there, and start it. Raises TrayError."""
    await context.change_settings({"port": port})
    await context.server.start()
