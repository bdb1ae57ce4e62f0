"""The dialect of a request; no other code tests paths or headers of dialects."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from server.dialects.registry import DIALECTS, dialect_of, find_dialect

ROOT = Path(__file__).parents[2]
_UPSTREAM = "server/backends/anthropic_api/"
"""A client of Anthropic's API, whatever dialects are served."""


@pytest.mark.parametrize(
    ("path", "headers", "name"),
    [
        ("/v1/messages", {}, "messages"),
        ("/v1/messages/count_tokens", {}, "messages"),
        ("/v1/messages-of-others", {}, "chat completions"),
        ("/proxy/v1/messages", {}, "messages"),
        ("/v1/chat/completions", {}, "chat completions"),
        ("/v1/chat/completions", {"anthropic-version": "2023-06-01"}, "chat completions"),
        ("/v1/chat/completions/v1/messages", {}, "messages"),
        ("/v1/messages/v1/chat/completions", {}, "chat completions"),
        ("/v1/responses", {}, "responses"),
        ("/v1/responses/resp_1/input_items", {}, "responses"),
        ("/v1/responses", {"anthropic-version": "2023-06-01"}, "responses"),
        ("/v1/models", {}, "chat completions"),
        ("/v1/models", {"anthropic-version": "2023-06-01"}, "messages"),
        ("/v1/models", {"anthropic-version": ""}, "messages"),
        ("/", {}, "chat completions"),
    ],
)
def test_the_dialect_of_a_request(path: str, headers: dict[str, str], name: str) -> None:
    assert dialect_of(path, headers.get).name == name


def test_names_and_paths_are_each_dialects_own() -> None:
    assert len({dialect.path for dialect in DIALECTS}) == len({dialect.name for dialect in DIALECTS}) == len(DIALECTS)
    assert all(find_dialect(dialect.name) is dialect for dialect in DIALECTS)
    assert find_dialect("volapuk") is None


def test_no_other_code_names_their_paths_and_headers() -> None:
    own = {dialect.path for dialect in DIALECTS} | {name for dialect in DIALECTS for name in dialect.marker_headers}
    sources = [path for folder in ("server", "tray_app") for path in (ROOT / folder).rglob("*.py")]
    outside = [
        path for path in sources if not path.relative_to(ROOT).as_posix().startswith(("server/dialects/", _UPSTREAM))
    ]
    assert len(outside) > 100
    found = [(path.name, text) for path in outside for text in strings(path) if any(word in text for word in own)]
    assert found == []


def strings(path: Path) -> Iterator[str]:
    """The string constants of a module, without its docstrings."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    prose = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in prose:
            yield node.value
