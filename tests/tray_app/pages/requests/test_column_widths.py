"""Column layout of the request table."""

import pytest

from tray_app.models.requests.columns import build_columns
from tray_app.pages.requests.column_widths import Widths, fit_columns

COLUMNS = build_columns()
SIZES = {column.key: Widths(60, 80) for column in COLUMNS}


@pytest.mark.parametrize("room", [60, 150, 399, 700, 720, 721, 780, 900, 1040, 1400])
def test_the_columns_fill_the_room_and_none_is_too_narrow(room: int) -> None:
    widths = fit_columns(COLUMNS, room, SIZES, {})
    assert sum(widths.values()) == room
    assert min(widths.values()) >= 60


def test_the_less_important_columns_go_first() -> None:
    assert list(fit_columns(COLUMNS, 60, SIZES, {})) == ["status"]
    assert list(fit_columns(COLUMNS, 180, SIZES, {})) == ["time", "model", "status"]
    assert set(fit_columns(COLUMNS, 779, SIZES, {})) == {column.key for column in COLUMNS} - {"cached"}
    assert set(fit_columns(COLUMNS, 719, SIZES, {})) == {column.key for column in COLUMNS} - {"cached", "key"}
    assert len(fit_columns(COLUMNS, 780, SIZES, {})) == 13


def test_tokens_in_and_out_come_and_go_together() -> None:
    for room in range(60, 800, 10):
        shown = fit_columns(COLUMNS, room, SIZES, {})
        assert ("input" in shown) == ("output" in shown)


def test_a_chosen_width_is_kept_while_there_is_room_and_others_take_what_is_left() -> None:
    widths = fit_columns(COLUMNS, 1400, SIZES, {"model": 300})
    assert widths["model"] == 300
    assert widths["client"] > 80
    assert sum(fit_columns(COLUMNS, 720, SIZES, {"model": 300}).values()) == 720
