"""Cell texts of the request log."""

import pytest

from server.core.records import RequestRecord
from tray_app.formatting import duration
from tray_app.models.requests.columns import build_columns, client_without_version, status_word


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.4, "400 ms"), (59.0, "59 s"), (3500, "58 min"), (3600, "1.0 h"), (3900, "1.1 h"), (86_000, "23.9 h")],
)
def test_a_duration_has_one_figure_in_its_cell_and_all_in_its_tooltip(seconds: float, text: str) -> None:
    column = next(column for column in build_columns() if column.key == "duration")
    ended = RequestRecord("r", 0.0, "/v1/messages", "test", status="ok", duration=seconds)
    assert column.cell_text(ended, 0.0) == text
    assert column.full_text(ended) == duration(seconds)


@pytest.mark.parametrize(
    ("client", "name"),
    [
        ("OpenAI/Python 3.54.0", "OpenAI/Python"),
        ("codex_cli_rs/0.61.0", "codex_cli_rs"),
        ("ai-sdk/openai/v2", "ai-sdk/openai"),
        ("curl/8.7.1 (x86)", "curl"),
        ("python-httpx", "python-httpx"),
        ("3proxy/0.9", "3proxy"),
        ("/1.0", "/1.0"),
    ],
)
def test_a_client_is_known_by_its_name(client: str, name: str) -> None:
    assert client_without_version(RequestRecord("r", 0.0, "/v1/messages", client)) == name


@pytest.mark.parametrize(("count", "word"), [(1, "Error 401"), (2, "Error 401 ×2"), (1200, "Error 401 ×1,200")])
def test_refusals_that_share_a_row_are_counted(count: int, word: str) -> None:
    refused = RequestRecord("r", 0.0, "/v1/messages", "test", status="error", http_status=401, count=count)
    assert status_word(refused) == word
