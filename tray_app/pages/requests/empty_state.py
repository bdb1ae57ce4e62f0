"""The empty request list: the reason, and one action that helps."""

from collections.abc import Callable
from typing import Any

from tray_app.context import Context
from tray_app.translation import tr

Reason = tuple[str, str, Callable[[], Any] | None]
"""A sentence, the label of a button, and its action."""


def explain_empty_list(context: Context, *, filtered: bool, clear: Callable[[], Any]) -> Reason:
    """The reason for an empty list, with an action; `clear` clears the filter."""
    if filtered:
        return tr("No request matches the filter."), tr("Clear filter"), clear
    if context.server.state == "running":
        connect = lambda: context.show("clients")  # noqa: E731 - a button's action
        return tr("Requests will appear here as soon as a client sends one."), tr("Connect a client"), connect
    if context.server.state == "starting":
        return tr("The server is starting. Requests will appear here."), "", None
    return tr("Requests will appear here while the server runs."), tr("Start server"), lambda: _start_server(context)


def _start_server(context: Context) -> None:
    context.run(context.server.start(), name="start the server")
