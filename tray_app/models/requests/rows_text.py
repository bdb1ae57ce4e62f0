"""Rows of the request log as tab-separated text for the clipboard."""

from collections.abc import Sequence

from server.core.records import RequestRecord
from tray_app.models.requests.columns import RequestColumn


def as_tab_separated(records: Sequence[RequestRecord], columns: Sequence[RequestColumn]) -> str:
    """A header line, then one line per record; tabs and line breaks within a cell become spaces."""
    lines = [[column.title for column in columns]]
    lines += [[column.full_text(record) for column in columns] for record in records]
    return "\n".join("\t".join(" ".join(cell.split()) for cell in line) for line in lines)
