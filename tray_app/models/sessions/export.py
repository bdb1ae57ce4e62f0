"""Export of a session to a file."""

import asyncio
import re
from pathlib import Path
from typing import Literal

from server.config.paths import replace_content
from server.core import exact_json
from server.core.errors import DragomanError
from server.core.records import Session, SessionSummary
from server.core.redaction import redact, redact_text
from server.store.export import session_as_json, session_as_markdown
from tray_app.translation import tr

ExportFormat = Literal["json", "markdown"]
SUFFIXES: dict[ExportFormat, str] = {"json": ".json", "markdown": ".md"}

_NOT_IN_NAMES = re.compile(r"[^\w.-]+")
_MAX_NAME_CHARACTERS = 60


async def export_session(session: Session, path: Path, format: ExportFormat) -> None:
    """Write the session to `path`, redacted; atomic. Raises DragomanError."""
    try:
        await asyncio.to_thread(lambda: replace_content(path, serialize_session(session, format)))
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise DragomanError(
            tr("The session could not be written to {path}: {reason}.").format(path=path, reason=reason),
            hint=tr("Choose another folder."),
        ) from error


def export_file_name(summary: SessionSummary, format: ExportFormat) -> str:
    """A file name derived from the title."""
    words = _NOT_IN_NAMES.sub("-", summary.title)[:_MAX_NAME_CHARACTERS].strip("-.")
    return f"{words or _NOT_IN_NAMES.sub('-', summary.id)}{SUFFIXES[format]}"


def serialize_session(session: Session, format: ExportFormat) -> bytes:
    """The file content, redacted."""
    if format == "json":
        return exact_json.dumps(redact(session_as_json(session)), indent=True) + b"\n"
    return redact_text(session_as_markdown(session)).encode("utf-8", "replace")
