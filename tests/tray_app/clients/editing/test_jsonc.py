"""JSON with comments: other text is preserved exactly, and errors have a position."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tray_app.clients.editing import Entry, jsonc
from tray_app.clients.errors import Damaged, Uneditable

URL = ("models", "ours", "url")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('{\n  "a": 1\n}\n', '{\n  "a": 1,\n  "b": 2\n}\n'),
        ('{\n  "a": 1, // one\n  // end\n}', '{\n  "a": 1, // one\n  "b": 2,\n  // end\n}'),
        ('{\n\t"a": [1, 2,] /* two */ // more\n}', '{\n\t"a": [1, 2,], /* two */ // more\n\t"b": 2\n}'),
        ('{"a": 1}', '{"a": 1, "b": 2}'),
        ("{}", '{\n  "b": 2\n}'),
        ("{ // empty\n}", '{ // empty\n  "b": 2\n}'),
        ("", '{\n  "b": 2\n}\n'),
        ("// only words", '// only words\n{\n  "b": 2\n}\n'),
        ('{\r\n  "a": 1\r\n}\r\n', '{\r\n  "a": 1,\r\n  "b": 2\r\n}\r\n'),
        ('{"b" /* was */ : 1.5e3, "c": null}', '{"b" /* was */ : 2, "c": null}'),
        ('{"b": 2}', '{"b": 2}'),
    ],
)
def test_a_value_at_the_top(before: str, after: str) -> None:
    assert jsonc.edit(before, [(("b",), 2)]) == after


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('{\n  "models": null // none\n}', '{\n  "models": {\n    "ours": {\n      "url": "u"\n    }\n  } // none\n}'),
        (
            '{\n    "models": {\n        "theirs": {} // x\n    }\n}',
            '{\n    "models": {\n        "theirs": {}, // x\n'
            '        "ours": {\n            "url": "u"\n        }\n    }\n}',
        ),
        ('{"models": {"ours": {"url": "old", "more": [1]}}}', '{"models": {"ours": {"url": "u", "more": [1]}}}'),
    ],
)
def test_a_value_below(before: str, after: str) -> None:
    assert jsonc.edit(before, [(URL, "u")]) == after


def test_an_entry_of_a_list() -> None:
    before = '{\n  "m": [\n    {"name": "a"}, // first\n  ]\n}\n'
    path = ("m", Entry("name", "b"), "size")
    after = jsonc.edit(before, [(path, 1)])
    assert after == (
        '{\n  "m": [\n    {"name": "a"}, // first\n    {\n      "name": "b",\n      "size": 1\n    },\n  ]\n}\n'
    )
    assert jsonc.edit(after, [(path, 2)]) == after.replace('"size": 1', '"size": 2')


def test_last_of_duplicate_keys_counts() -> None:
    assert jsonc.edit('{"a": 1, "a": 1}', [(("a",), 2)]) == '{"a": 1, "a": 2}'


@pytest.mark.parametrize(
    ("text", "line", "column"),
    [
        ('{"a": 1 "b": 2}', 1, 9),
        ('{\n  "a": }', 2, 8),
        ('{\n "a": [1, 2\n}', 3, 1),
        ('{"a": 1} x', 1, 10),
        ('{"a": "x\n"}', 1, 7),
        ("{'a': 1}", 1, 2),
        ("\n/* x", 2, 1),
        ('{"a": tru}', 1, 7),
        ('{"a": 012}', 1, 7),
        ('{"a": "\\q"}', 1, 7),
        ("{,}", 1, 2),
        ("[1,,2]", 1, 4),
        ('{"a": 1', 1, 1),
        ("[" * 300, 1, 202),
    ],
)
def test_error_has_a_position(text: str, line: int, column: int) -> None:
    with pytest.raises(Damaged) as raised:
        jsonc.edit(text, [(("b",), 2)])
    assert (raised.value.line, raised.value.column) == (line, column)


@pytest.mark.parametrize("text", ["[]", '"text"', '{"models": 1}', '{"models": {"ours": []}}'])
def test_parent_of_another_type_is_not_replaced(text: str) -> None:
    with pytest.raises(Uneditable):
        jsonc.edit(text, [(URL, "u")])


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.text(max_size=4), values, max_size=4), st.sampled_from([None, 2, "\t"]), st.booleans())
def test_any_file_keeps_its_other_values(data: dict[str, Any], indent: Any, ascii_only: bool) -> None:
    data.pop("models", None)
    after = jsonc.edit(json.dumps(data, indent=indent, ensure_ascii=ascii_only), [(URL, "u")])
    assert json.loads(after) == {**data, "models": {"ours": {"url": "u"}}}
