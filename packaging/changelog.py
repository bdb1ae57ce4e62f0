"""CHANGELOG.md, in the form of Keep a Changelog: sections named by version, the newest first."""

import re
from datetime import date

UNRELEASED = "Unreleased"
HEADING = re.compile(r"^## \[(?P<name>[^\]\n]+)\](?: - (?P<date>\d{4}-\d{2}-\d{2}))?[ \t]*$", re.MULTILINE)


def list_sections(text: str) -> dict[str, str]:
    """Contents of every section by name, without its heading. Raises ValueError if two have one name."""
    headings = list(HEADING.finditer(text))
    ends = [heading.start() for heading in headings[1:]] + [len(text)]
    sections: dict[str, str] = {}
    for heading, end in zip(headings, ends, strict=True):
        if heading["name"] in sections:
            raise ValueError(f"CHANGELOG.md has two sections [{heading['name']}]: join them")
        sections[heading["name"]] = text[heading.end() : end].strip()
    return sections


def read_section(text: str, name: str) -> str:
    """Contents of the section `name`. Raises ValueError if it is missing or has no entry."""
    section = list_sections(text).get(name)
    if section is None:
        raise ValueError(f"CHANGELOG.md has no section [{name}]")
    if not re.search(r"^[-*] +\S", section, re.MULTILINE):
        raise ValueError(f"the section [{name}] of CHANGELOG.md has no entry: describe what users will notice")
    return section


def date_unreleased(text: str, version: str, day: date) -> str:
    """Turn the section of unreleased changes into that of `version`, under a new and empty one.

    Raises ValueError if there is nothing to release, or the version has a section already.
    """
    read_section(text, UNRELEASED)
    if version in list_sections(text):
        raise ValueError(f"CHANGELOG.md already has a section [{version}]")
    heading = next(found for found in HEADING.finditer(text) if found["name"] == UNRELEASED)
    headings = f"## [{UNRELEASED}]\n\n## [{version}] - {day.isoformat()}"
    return text[: heading.start()] + headings + text[heading.end() :]
