"""The templates of Linux's files, filled with the project's facts."""

import os
import re
import subprocess
import textwrap
from datetime import UTC, date, datetime
from pathlib import Path
from string import Template
from xml.sax.saxutils import escape

from changelog import HEADING
from licenses import TEXTS_FILE
from project import ROOT, Project

TEMPLATES = Path(__file__).parent / "templates"
COPYRIGHT = "Copyright (c) "


def fill_template(name: str, project: Project) -> str:
    """Fill the template `name` of templates/. Raises KeyError if it asks for a fact that is not known."""
    is_xml = name.endswith(".xml.in")
    facts = {fact: escape(value) if is_xml else value for fact, value in _project_facts(project).items()}
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    facts["releases"] = "\n    ".join(render_releases(project.version, changelog, build_date()))
    facts |= _license_facts((ROOT / "LICENSE").read_text(encoding="utf-8"))
    return Template((TEMPLATES / name).read_text(encoding="utf-8")).substitute(facts)


def _project_facts(project: Project) -> dict[str, str]:
    return {
        "name": project.name,
        "title": project.title,
        "summary": project.summary,
        "short_summary": short_summary(project.summary),
        "license": project.license,
        "repository": project.repository,
        "authors": project.authors,
        "app_id": project.app_id,
        # A developer is identified as an application is, without its last part.
        "developer_id": project.app_id.rpartition(".")[0],
        "tag": project.tag,
        "third_party": TEXTS_FILE,
        "keywords": "".join(f"{word};" for word in project.keywords),
    }


def _license_facts(text: str) -> dict[str, str]:
    notice = next(line for line in text.splitlines() if line.startswith(COPYRIGHT))
    terms = text.partition(notice)[2].strip()
    paragraphs = "\n".join(line or "." for line in terms.splitlines())
    return {"copyright": notice.removeprefix(COPYRIGHT), "license_text": textwrap.indent(paragraphs, " ")}


def render_releases(version: str, changelog: str, today: date) -> list[str]:
    """Render AppStream's list of releases from the changelog, the newest first.

    A `version` that the changelog does not date is one in development, of `today`.
    """
    dated = {found["name"]: found["date"] for found in HEADING.finditer(changelog) if found["date"]}
    releases = [f'<release version="{name}" date="{day}" type="stable"/>' for name, day in dated.items()]
    if version not in dated:
        releases.insert(0, f'<release version="{version}" date="{today.isoformat()}" type="development"/>')
    return releases


def short_summary(summary: str) -> str:
    """The summary as software centers and apt list it: without the article and the full stop, one clause."""
    return re.sub(r"^(A|An|The) ", "", summary).split(" that ")[0].rstrip(".").capitalize()


def build_date() -> date:
    """The date that files state: of SOURCE_DATE_EPOCH, otherwise of the last commit, otherwise of today."""
    epoch = os.environ.get("SOURCE_DATE_EPOCH")
    if epoch is None:
        asked = subprocess.run(["git", "log", "-1", "--format=%ct"], cwd=ROOT, capture_output=True, text=True)
        epoch = asked.stdout.strip() or None
    moment = datetime.now(UTC) if epoch is None else datetime.fromtimestamp(int(epoch), UTC)
    return moment.date()
