"""Messages and actions for a port that is not available."""

from collections.abc import Callable
from typing import Any

from server.core.errors import DragomanError, PortUnavailable
from server.hosting.port_check import PortReport, next_free_port
from tray_app.context import Context
from tray_app.translation import tr
from tray_app.widgets.action_row import Action


def describe_port_problem(report: PortReport, error: PortUnavailable) -> str:
    """Why the port is not available, and which program uses it if known."""
    if report.dragoman_version:
        return tr("Port {port} is in use by another Dragoman, version {version}.").format(
            port=error.port, version=report.dragoman_version
        )
    if report.holder:
        return tr("Port {port} is in use by {program}.").format(port=error.port, program=report.holder)
    return error.message


async def port_actions(
    context: Context, error: PortUnavailable, on_error: Callable[[DragomanError], Any]
) -> list[Action]:
    """The actions for it. Only a port from the settings file can be replaced."""
    choose: Action = (tr("Choose a port..."), lambda: context.show_page("settings", setting="port"))
    if "port" in context.settings_service.fixed:
        return [choose]
    port = await next_free_port(error.host, error.port)

    def use_port() -> None:
        context.run(_use_port(context, port), name=f"use port {port}", on_error=on_error)

    return [(tr("Use {port}").format(port=port), use_port), choose]


async def _use_port(context: Context, port: int) -> None:
    await context.change_settings({"port": port})
    await context.server.start()


def port_free_text(error: PortUnavailable) -> str:
    """The message for a port that has become free."""
    return tr("Port {port} was in use and is now free.").format(port=error.port)


def start_action(context: Context, on_error: Callable[[DragomanError], Any]) -> Action:
    """The action that starts the server."""
    return tr("Start the server"), lambda: context.run(context.server.start(), name="start", on_error=on_error)
