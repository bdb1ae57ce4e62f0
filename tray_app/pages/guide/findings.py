"""The checks of the guide. Only a missing key is created, nothing changed."""

from dataclasses import dataclass, replace
from typing import Literal

from server.backends.claude_cli.account_check import account_kind
from server.core.errors import DragomanError, PortUnavailable, SetupError
from server.hosting.port_check import inspect_port
from server.hosting.sockets import address_url
from tray_app.context import Context
from tray_app.formatting import format_path
from tray_app.pages.overview.claude_watch import ClaudeReport, account_name
from tray_app.pages.overview.port_problem import describe_port_problem
from tray_app.translation import tr

Status = Literal["waiting", "checking", "ok", "warning", "needs_you"]


@dataclass(frozen=True, slots=True)
class Finding:
    """The result of a check. `hint` says what to do where no button does it; `keep_hint` shows it beside buttons too.

    `path` is shown on a line of its own.
    """

    status: Status
    text: str
    hint: str = ""
    keep_hint: bool = False
    error: DragomanError | None = None
    path: str = ""


CHECKING = Finding("checking", "")


def program_finding(report: ClaudeReport) -> Finding:
    """Check whether Claude Code was found and runs."""
    if report.problem is not None:
        # The button opens the page of Claude Code; the hint has the line that installs it.
        return replace(_error_finding(report.problem), keep_hint=True)
    version = tr("Version {version}").format(version=report.version) if report.version else tr("Found")
    return Finding("ok", version, path=format_path(report.path) if report.path else "")


def account_finding(report: ClaudeReport) -> Finding:
    """Check whether Claude Code is signed in."""
    if report.problem is not None:
        return Finding("waiting", tr("Find Claude Code first."))
    if not report.signed_in:
        return Finding("needs_you", tr("Claude Code is not signed in."))
    name, kind = account_name(report.account), account_kind(report.account)
    text = kind[:1].upper() + kind[1:]
    return Finding("ok", f"{name}, {kind}" if name else text)


async def port_finding(context: Context) -> Finding:
    """Check whether the server runs, or could run on its port."""
    if context.server.state == "starting":
        return Finding("checking", tr("The server is starting."))
    if context.server.state == "stopping":
        return Finding("checking", tr("The server is stopping."))
    if context.server.state == "running":
        return Finding("ok", tr("The server is listening on {url}.").format(url=context.server.url))
    settings, problem = context.settings, context.server.problem
    report = await inspect_port(settings.host, settings.port)
    if report.free:
        # Something other than the port keeps the server from running, and this step reports that, too.
        if problem is not None and not isinstance(problem, PortUnavailable):
            return _error_finding(problem)
        free = tr("{url} is available. The server is not running.")
        return Finding("warning", free.format(url=address_url(settings.host, settings.port)))
    error = report.error or DragomanError(tr("Port {port} is not available.").format(port=settings.port))
    if isinstance(error, PortUnavailable):
        return Finding("needs_you", describe_port_problem(report, error), error.hint, error=error)
    return _error_finding(error)


async def key_finding(context: Context) -> Finding:
    """Check whether there is a key, and create a required one."""
    if not context.settings.api_key_required:
        return Finding("warning", tr("No key is required: any program that can reach the server can use your account."))
    try:
        await context.api_key()
    except SetupError as error:
        return _error_finding(error)
    store = context.key_store
    kept = tr("The key is kept {place}.").format(place=store.short_description)
    lost = store.fell_back_to_memory(context.settings.key_storage)
    return Finding("warning" if lost else "ok", kept)


def _error_finding(error: DragomanError) -> Finding:
    return Finding("needs_you", error.message, error.hint, error=error)
