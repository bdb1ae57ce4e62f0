"""Counts in words."""

import pytest

from tray_app.translation import counted


@pytest.mark.parametrize(
    ("n", "text"),
    [(0, "0 requests"), (1, "1 request"), (2, "2 requests"), (21, "21 requests"), (1204, "1,204 requests")],
)
def test_one_is_singular(n: int, text: str) -> None:
    assert counted(n, "1 request", "{n} requests") == text
