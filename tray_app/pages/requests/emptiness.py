"""Why the list is empty, and the one step that changes it."""

from collections.abc import Callable
from typing import Any

from tray_app.context import Context
from tray_app.translation import tr

Reason = tuple[str, str, Callable[[], Any] | None]
"""A sentence, the label of a button, and what it does."""


def why_empty(context: Context, *, filtered: bool, clear: Callable[[], Any]) -> Reason:
    """The reason for an empty list; `clear` clears the filter."""
    if filtered:
        return tr("No request matches the filter."), tr("Clear filter"), clear
    if context.server.state == "running":
        connect = lambda: context.show_page("clients")  # noqa: E731 - a button's step
        return tr("Requests will appear here as soon as a client sends one."), tr("Connect a client"), connect
    if context.server.state == "starting":
        return tr("The server is starting. Requests will appear here."), "", None
    return tr("Requests will appear here while the server runs."), tr("Start server"), lambda: _start(context)


def _start(context: Context) -> None:
    context.run(context.server.start(), name="start the server")
