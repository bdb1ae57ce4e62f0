"""Where releases are listed. The program's own metadata names the repository."""

import functools
import importlib.metadata
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

from server.config.paths import APP_NAME

UNDECIDED = ".example"
"""Top-level domain of placeholders (RFC 2606). packaging/project.py has it as well, for the recipes."""
LISTED = 30
"""Releases on the one page that is read."""


@dataclass(frozen=True, slots=True)
class ReleaseFeed:
    """The address of the list of releases, and of the pages that users read."""

    url: str
    repository: str

    @property
    def host(self) -> str:
        """The host that is asked."""
        return urlsplit(self.url).hostname or self.url

    @property
    def page(self) -> str:
        """The page of all releases."""
        return f"{self.repository}/releases"

    def release_page(self, tag: str) -> str:
        """The page of one release. It is not taken from the list, which would then name pages to open."""
        return f"{self.repository}/releases/tag/{quote(tag, safe='')}"


@functools.cache
def find_release_feed() -> ReleaseFeed | None:
    """Find the feed of this installation; None if its metadata names no place for releases."""
    try:
        entries = importlib.metadata.metadata(APP_NAME).get_all("Project-URL") or []
    except importlib.metadata.PackageNotFoundError:
        return None
    urls = dict(entry.split(", ", 1) for entry in entries if ", " in entry)
    return feed_of_repository(urls.get("Repository", ""))


def feed_of_repository(repository: str) -> ReleaseFeed | None:
    """Return the feed of a repository on GitHub; None for a placeholder or another host."""
    parts = urlsplit(repository)
    owner_and_name = [part for part in parts.path.removesuffix(".git").split("/") if part]
    if parts.scheme != "https" or (parts.hostname or "").removeprefix("www.") != "github.com":
        return None
    if len(owner_and_name) != 2:
        return None
    path = "/".join(owner_and_name)
    return ReleaseFeed(f"https://api.github.com/repos/{path}/releases?per_page={LISTED}", f"https://github.com/{path}")
