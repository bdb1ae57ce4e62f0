"""The result of a check in words."""

from dataclasses import dataclass

from tray_app.translation import tr
from tray_app.updates.check import UpdateCheck


@dataclass(frozen=True, slots=True)
class Summary:
    """An icon of qtawesome with a colour token, a headline, and a line below it."""

    icon: str
    token: str
    headline: str
    detail: str = ""


def summarize_check(check: UpdateCheck) -> Summary:
    """Summarize the state of the check and its last result."""
    version = str(check.running)
    this_version = tr("This is Dragoman {version}.").format(version=version)
    if check.feed is None:
        return Summary(
            "mdi6.information-outline",
            "muted",
            this_version,
            tr("This build names no place where releases are published, so it cannot check for updates."),
        )
    if check.state == "checking":
        return Summary("mdi6.update", "muted", tr("Asking {host}...").format(host=check.feed.host), this_version)
    if check.error is not None:
        return Summary("mdi6.alert-circle-outline", "error", check.error.message, check.error.hint)
    if check.newest is not None:
        headline = tr("Dragoman {version} is available.").format(version=check.newest.version)
        return Summary(
            "mdi6.arrow-up-circle-outline", "accent", headline, tr("You have {version}.").format(version=version)
        )
    if check.result is None:
        return Summary(
            "mdi6.update",
            "muted",
            this_version,
            tr("A check asks {host} for the list of releases. It sends nothing about you or your computer.").format(
                host=check.feed.host
            ),
        )
    headline = tr("Dragoman {version} is up to date.").format(version=version)
    latest = check.result.latest
    if latest is None:
        return Summary("mdi6.check-circle-outline", "ok", headline, tr("No release has been published yet."))
    if latest < check.running:
        detail = tr("The latest release is {version}; yours is newer.").format(version=latest)
        return Summary("mdi6.check-circle-outline", "ok", headline, detail)
    return Summary("mdi6.check-circle-outline", "ok", headline)
