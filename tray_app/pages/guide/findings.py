"""What the guide looks at, as the server itself would. Nothing is changed, but a missing key is made."""

from dataclasses import dataclass
from typing import Literal

from server.cli.checks import account_kind
from server.core.errors import PortUnavailable, SetupError, TrayError
from server.hosting.port_check import look_at_port
from server.hosting.sockets import address_url
from tray_app.context import Context
from tray_app.formatting import place
from tray_app.pages.overview.claude_watch import ClaudeReport, account_name
from tray_app.pages.overview.port_problem import describe_port_problem
from tray_app.translation import tr

Status = Literal["waiting", "checking", "ok", "warning", "needs_you"]


@dataclass(frozen=True, slots=True)
class Finding:
    """What a look has found. `hint` says what to do, where no button does it; `error` is what is wrong.

    `place` is a path, which is shown on a line of its own.
    """

    status: Status
    text: str
    hint: str = ""
    error: TrayError | None = None
    place: str = ""


CHECKING = Finding("checking", "")


def program_finding(report: ClaudeReport) -> Finding:
    """Whether Claude Code is there and runs."""
    if report.problem is not None:
        return _error_finding(report.problem)
    version = tr("Version {version}").format(version=report.version) if report.version else tr("Found")
    return Finding("ok", version, place=place(report.path) if report.path else "")


def account_finding(report: ClaudeReport) -> Finding:
    """Whether it is signed in."""
    if report.problem is not None:
        return Finding("waiting", tr("Find Claude Code first."))
    if not report.signed_in:
        return Finding("needs_you", tr("Claude Code is not signed in."))
    name, kind = account_name(report.account), account_kind(report.account)
    words = kind[:1].upper() + kind[1:]
    return Finding("ok", f"{name}, {kind}" if name else words)


async def port_finding(context: Context) -> Finding:
    """Whether the server runs, or has a port to run on."""
    if context.server.state == "starting":
        return Finding("checking", tr("The server is starting."))
    if context.server.state == "stopping":
        return Finding("checking", tr("The server is stopping."))
    if context.server.state == "running":
        return Finding("ok", tr("The server is listening on {url}.").format(url=context.server.url))
    settings, problem = context.settings, context.server.problem
    report = await look_at_port(settings.host, settings.port)
    if report.free:
        # The port is not what keeps it from running; whatever does is for this step to say, too.
        if problem is not None and not isinstance(problem, PortUnavailable):
            return _error_finding(problem)
        free = tr("{url} is available. The server is not running.")
        return Finding("warning", free.format(url=address_url(settings.host, settings.port)))
    error = report.error or TrayError(tr("Port {port} is not available.").format(port=settings.port))
    if isinstance(error, PortUnavailable):
        return Finding("needs_you", describe_port_problem(report, error), error.hint, error)
    return _error_finding(error)


async def key_finding(context: Context) -> Finding:
    """Whether there is a key; one is made, if it is needed. It is not shown."""
    if not context.settings.api_key_required:
        return Finding("warning", tr("No key is required: any program that can reach the server can use your account."))
    try:
        await context.api_key()
    except SetupError as error:
        return _error_finding(error)
    store = context.key_store
    kept = tr("The key is kept {place}.").format(place=store.place)
    lost = store.kind == "memory" and context.settings.key_storage != "memory"
    return Finding("warning" if lost else "ok", kept)


def _error_finding(error: TrayError) -> Finding:
    return Finding("needs_you", error.message, error.hint, error)
