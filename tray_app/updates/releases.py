"""Releases as GitHub lists them, and which of them are newer than this version.

Format: https://docs.github.com/en/rest/releases/releases#list-releases
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from packaging.version import InvalidVersion, Version


@dataclass(frozen=True, slots=True)
class Release:
    """A published version. `notes` is Markdown, `date` is local and has the form 2026-11-29, empty if unknown."""

    version: Version
    tag: str
    notes: str = ""
    date: str = ""
    prerelease: bool = False


def parse_releases(body: bytes) -> list[Release]:
    """Read the list of releases. Drafts, and tags that are no versions, are left out.

    Raises ValueError if `body` is not such a list.
    """
    entries = orjson.loads(body)
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise ValueError("not a list of releases")
    return [release for entry in entries if (release := _parse_entry(entry)) is not None]


def newer_releases(releases: Iterable[Release], running: Version) -> list[Release]:
    """The releases that are newer than `running`, newest first. Prereleases count only if one is running."""
    known = list(releases)
    with_prereleases = running.is_prerelease or any(entry.prerelease for entry in known if entry.version == running)
    newer = {entry.version: entry for entry in known if entry.version > running}
    ordered = sorted(newer.values(), key=lambda entry: entry.version, reverse=True)
    return [entry for entry in ordered if with_prereleases or not entry.prerelease]


def _parse_entry(entry: dict[str, Any]) -> Release | None:
    tag = entry.get("tag_name")
    if not isinstance(tag, str) or entry.get("draft"):
        return None
    try:
        version = Version(tag)  # which allows a "v" before it
    except InvalidVersion:
        return None
    notes = entry.get("body")
    return Release(
        version,
        tag,
        notes=notes if isinstance(notes, str) else "",
        date=_format_date(entry.get("published_at")),
        prerelease=bool(entry.get("prerelease")) or version.is_prerelease,
    )


def _format_date(published: Any) -> str:
    try:
        return datetime.fromisoformat(published).astimezone().strftime("%Y-%m-%d")
    except (TypeError, ValueError, OverflowError, OSError):
        return ""
