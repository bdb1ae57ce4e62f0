"""Rows of the request log as text, for the clipboard: what is pasted into a table stays one."""

from collections.abc import Sequence

from server.core.records import RequestRecord
from tray_app.models.requests.columns import Column


def as_tab_separated(records: Sequence[RequestRecord], columns: Sequence[Column]) -> str:
    """A line with the columns' titles, and one for each record; tabs and line breaks in a cell become spaces."""
    lines = [[column.title for column in columns]]
    lines += [[column.whole(record) for column in columns] for record in records]
    return "\n".join("\t".join(" ".join(cell.split()) for cell in line) for line in lines)
