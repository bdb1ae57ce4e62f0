"""What the cells of the request log say."""

import pytest

from server.store.types import RequestRecord
from tray_app.formatting import duration
from tray_app.models.requests_columns import columns


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.4, "400 ms"), (59.0, "59 s"), (3500, "58 min"), (3600, "1.0 h"), (3900, "1.1 h"), (86_000, "23.9 h")],
)
def test_a_duration_has_one_figure_in_its_cell_and_all_in_its_tooltip(seconds: float, text: str) -> None:
    column = next(column for column in columns() if column.key == "duration")
    ended = RequestRecord("r", 0.0, "/v1/messages", "test", status="ok", duration=seconds)
    assert column.text(ended, 0.0) == text
    assert column.whole(ended) == duration(seconds)
