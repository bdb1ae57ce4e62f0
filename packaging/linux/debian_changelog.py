"""CHANGELOG.md in the form that Debian's tools read."""

import re
import textwrap
from collections.abc import Iterator
from datetime import UTC, date, datetime, time
from email.utils import format_datetime

from changelog import HEADING, UNRELEASED, list_sections

WIDTH = 78


def debian_version(version: str) -> str:
    """A version as dpkg orders it: 1.0.dev1 comes before 1.0a1, and that before 1.0."""
    return re.sub(r"(a|b|rc)(?=\d)", r"~\1", version).replace(".dev", "~~dev")


def render_changelog(name: str, version: str, maintainer: str, text: str, today: date) -> str:
    """Render all releases, the newest first. A `version` without a date in `text` is the unreleased one, of `today`.

    Raises ValueError if a release has no entry.
    """
    sections = list_sections(text)
    dated = {found["name"]: date.fromisoformat(found["date"]) for found in HEADING.finditer(text) if found["date"]}
    if version not in dated:
        sections[version] = sections.get(UNRELEASED, "")
        dated = {version: today} | dated
    return "\n".join(_render_release(name, release, maintainer, sections[release], dated[release]) for release in dated)


def _render_release(name: str, version: str, maintainer: str, section: str, day: date) -> str:
    entries = [
        textwrap.fill(entry, WIDTH, initial_indent="  * ", subsequent_indent="    ") for entry in list_entries(section)
    ]
    if not entries:
        raise ValueError(f"CHANGELOG.md has no entry for {version}: describe what users will notice")
    signature = f" -- {maintainer}  {format_datetime(datetime.combine(day, time(), UTC))}"
    return "\n".join([f"{name} ({debian_version(version)}) unstable; urgency=medium", "", *entries, "", signature, ""])


def list_entries(section: str) -> Iterator[str]:
    """The entries of a section, each joined to one line."""
    for found in re.finditer(r"^[-*] +(.+(?:\n[ \t]+\S.*)*)", section, re.MULTILINE):
        yield " ".join(found[1].split())
