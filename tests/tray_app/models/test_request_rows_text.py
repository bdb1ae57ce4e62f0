"""Request rows as tab-separated text for the clipboard."""

from dataclasses import replace

from tests.tray_app.models.request_records import record
from tray_app.models.requests.columns import build_columns
from tray_app.models.requests.rows_text import as_tab_separated


def test_each_row_is_a_line_and_each_cell_a_field() -> None:
    text = as_tab_separated([record(1), replace(record(2), client="a\tb\nc")], build_columns())
    rows = [line.split("\t") for line in text.split("\n")]
    assert [len(row) for row in rows] == [13, 13, 13]
    assert rows[0][:2] == ["Time", "Client"]
    assert rows[1][2] == "/v1/chat/completions"
    assert rows[2][1] == "a b c"
    assert rows[1][7] == "1,200"
